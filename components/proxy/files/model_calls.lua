-- The user of a model call and the tokens that it used, for the access log. Bodies pass chunk by chunk, unchanged.

function envoy_on_request(handle)
  local received = handle:headers()
  local user, id = (received:get("x-request-by") or ""):match("^(%x+) ([%w=-]+)$")
  if user then
    received:replace("x-request-user", user)
    received:replace("x-request-id", id)
  end
end

local LONGEST = 2048 -- the usage is the last part of an answer

function envoy_on_response(handle)
  local tail = ""
  for chunk in handle:bodyChunks() do
    local size = chunk:length()
    local first = math.max(0, size - LONGEST)
    tail = (tail .. chunk:getBytes(first, size - first)):sub(-LONGEST)
  end
  local usage = tail:match('.*"usage"%s*:%s*(%b{})')
  if usage then
    local counts = handle:streamInfo():dynamicMetadata()
    counts:set("tokens", "input", tonumber(usage:match('"prompt_tokens"%s*:%s*(%d+)')) or 0)
    counts:set("tokens", "output", tonumber(usage:match('"completion_tokens"%s*:%s*(%d+)')) or 0)
  end
end
