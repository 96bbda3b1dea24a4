-- Reads several values from one text, in one format only: a claim in another one has no values. Put before identity.lua
-- if a rule has a format, because a task definition is limited to 64 KB.

local function form_decoded(text)
  return (text:gsub("%+", " "):gsub("%%(%x%x)", function(digits)
    return string.char(tonumber(digits, 16))
  end))
end

local function split(text, separator, read)
  local found = setmetatable({}, { __jsontype = "array" })
  for value in (text .. separator):gmatch("(.-)" .. separator) do
    found[#found + 1] = read(value:match("^%s*(.-)%s*$"))
  end
  return found
end

local function same(value)
  return value
end

local formats = {
  ["json-text"] = function(text)
    local list, after = json.decode(text, 1, false)
    return type(list) == "table" and getmetatable(list).__jsontype == "array" and not text:find("%S", after) and list or nil
  end,
  ["comma-separated"] = function(text)
    return split(text, ",", same)
  end,
  ["space-separated"] = function(text)
    return split(text, " ", same)
  end,
  ["bracketed"] = function(text)
    local inside = text:match("^%[(.*)%]$")
    return inside and split(inside, ",", form_decoded) or text -- a single value is neither bracketed nor encoded
  end,
}

local function in_format(claim, format)
  return type(claim) == "string" and formats[format](claim) or nil
end
