-- Turns the load balancer's claims (x-amzn-oidc-data) into the application's trusted headers.
--
-- `json` is the decoder, `settings` what it made of the generated JSON; both are put before this text, in one chunk, and so is
-- user_id.lua.
-- Client-sent copies of the trusted headers are gone before this runs. Authenticity of the token rests on the
-- network: only the load balancer reaches this listener, and only after a login. What is checked here guards
-- against a wrong configuration and against claims that an identity provider lets its users choose.
-- A runtime error in a Lua filter lets the request pass, so there is a pcall here and the RBAC filter after this one.

-- Lua's heap grows by 4 MB before it is collected again, however small it is, because a collection reads all that is remembered. An
-- object that nothing refers to is finalized at the end of each collection; the next one begins at so many percent of what is left.
local function pace_collections()
  collectgarbage("setpause", 100 + 409600 / collectgarbage("count"))
  getmetatable(newproxy(true)).__gc = pace_collections
end
pace_collections()

local LARGEST_TOKEN = 16384 -- the load balancer's limit for one header
local REMEMBERED_BYTES = 262144
local NULL = function() end -- stands for JSON's null, which as nil would end a list
local DENIED = { status = "401" }
local REJECTED = { who = DENIED, expires = math.huge }

local NOT_A_SEXTET = 0xff
local sextets = ffi.new("uint8_t[256]")
ffi.fill(sextets, 256, NOT_A_SEXTET)
local alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
for index = 1, #alphabet do
  sextets[alphabet:byte(index)] = index - 1
end
local decoded = ffi.new("uint8_t[?]", LARGEST_TOKEN)

-- base64url with or without padding; nil where it is not. Four characters at a time: the last group may lack two.
local function base64url(text)
  local body = text:match("^([^=]*)=?=?$")
  if not body or #body % 4 == 1 or (#body ~= #text and #text % 4 ~= 0) then
    return nil
  end
  local length, seen = 0, 0
  for index = 1, #body, 4 do
    local first, second, third, fourth = body:byte(index, index + 3)
    local a, b, c, d = sextets[first], sextets[second], third and sextets[third] or 0, fourth and sextets[fourth] or 0
    seen = disj(seen, a, b, c, d)
    decoded[length] = conj(disj(left(a, 2), right(b, 4)), 0xff)
    decoded[length + 1] = conj(disj(left(b, 4), right(c, 2)), 0xff)
    decoded[length + 2] = conj(disj(left(c, 6), d), 0xff)
    length = length + 3
  end
  if seen >= 64 then
    return nil
  end
  return ffi.string(decoded, math.floor(#body * 3 / 4))
end

local function json_object(segment)
  local text = base64url(segment)
  if not text then
    return nil
  end
  local value, after = json.decode(text, 1, NULL)
  if type(value) ~= "table" or getmetatable(value).__jsontype ~= "object" or text:find("%S", after) then
    return nil
  end
  return value
end

-- The expiry of a token whose header contains the configured signer, client and issuer; nil or false otherwise.
local function accepted_until(segment)
  local header = json_object(segment)
  return header
    and header.alg == "ES256"
    and header.signer == settings.signer
    and header.client == settings.client
    and header.iss == settings.issuer
    and type(header.exp) == "number"
    and header.exp
end

local function is_list(value)
  return type(value) == "table" and getmetatable(value).__jsontype == "array"
end

-- Whether a claim has one of a rule's values: a text, or a list that contains it. `in_format` is in claim_formats.lua.
local function has_one_of(claims, rule)
  local claim = claims[rule.claim]
  if rule.format then
    claim = in_format(claim, rule.format)
  end
  for _, value in ipairs(is_list(claim) and claim or { claim }) do
    if type(value) == "string" and rule.values[value] then
      return true
    end
  end
  return false
end

local function is_one_of(people, claims, address, domain)
  return people.everyone or people.emails[address] or people.domains[domain] or has_one_of(claims, people)
end

local function refused(reason, id)
  return { status = "403", reason = reason, user = id }
end

local function is_missing(value)
  return value == nil or value == NULL
end

-- Which kind of refusal a rule leads to. Entra ID replaces a list of groups that is too long by a reference to it.
local function unmatched(rule, claims, id)
  if rule.claim == "" or not is_missing(claims[rule.claim]) then
    return refused("other-value", id)
  end
  local elsewhere = claims._claim_names
  if not is_missing(claims.hasgroups) or (type(elsewhere) == "table" and elsewhere[rule.claim] ~= nil) then
    return refused("groups-overage", id)
  end
  return refused("no-claim", id)
end

-- Printable ASCII stays as it is, everything else and "%" is percent-encoded UTF-8.
local function header_text(text)
  return (text:gsub("[^ -$&-~]", function(character)
    return string.format("%%%02X", character:byte())
  end))
end

-- Remembers answers by the exact text they were computed from: the text is the key, so two people never share one.
-- Two generations, each of `most` bytes of text: when the younger is full it becomes the older, which is forgotten.
local function remembered(compute, most)
  local younger, older, bytes = {}, {}, 0
  return function(text)
    local answer = younger[text]
    if answer ~= nil then
      return answer
    end
    answer = older[text]
    if answer == nil then
      answer = compute(text) or false
    end
    bytes = bytes + #text
    if bytes > most then
      younger, older, bytes = {}, younger, #text
    end
    younger[text] = answer
    return answer
  end
end

-- The next token of a person has other text and the same address. This many bytes are some thousands of addresses.
local id_of = remembered(user_id, 65536)

-- Who the claims say it is: the same answer for the same claims.
local function person(segment)
  local claims = json_object(segment)
  if not claims then
    return DENIED
  end
  local address, shown, verified = claims.email, claims.name, claims.email_verified
  if is_missing(address) then
    return refused("no-email")
  end
  if type(address) ~= "string" or #address > 254 then
    return DENIED
  end
  address = address:lower()
  local domain = address:match("^[%w.!#$%%&'*+/=?^_`{|}~-]+@([%w-]+%.[%w.-]*%w)$")
  if not domain then
    return DENIED
  end
  if is_missing(shown) then
    shown = address
  end
  if type(shown) ~= "string" or #shown > 256 or shown:find("%c") then
    return DENIED
  end
  if not shown:find("%S") then
    shown = address
  end
  -- A provider that returns anything other than true has not verified the address. Some never return it, others always.
  if verified ~= true and verified ~= "true" and (settings.verified or not is_missing(verified)) then
    return refused("unverified")
  end
  local id, blocklist = id_of(address), settings.blocked
  if blocklist and (blocklist.users[id] or is_one_of(blocklist, claims, address, domain)) then
    return refused("blocked", id)
  end
  if settings.required and not has_one_of(claims, settings.required) then
    return unmatched(settings.required, claims, id)
  end
  if not is_one_of(settings.allowed, claims, address, domain) then
    return unmatched(settings.allowed, claims, id)
  end
  local administers = is_one_of(settings.administrators, claims, address, domain)
  return {
    user = id,
    email = address,
    name = header_text(shown),
    role = administers and settings.administrator_role or settings.member_role,
  }
end

-- The three differ in how often their text changes: with every token, with every second, with every person.
local expiry_of, person_of = remembered(accepted_until, REMEMBERED_BYTES), remembered(person, REMEMBERED_BYTES)
local decision_on = remembered(function(token)
  local first = token:find(".", 1, true)
  local second = first and token:find(".", first + 1, true)
  if not second or not token:find("^[%w_-]+=?=?$", second + 1) or (#token - second ~= 86 and #token - second ~= 88) then
    return REJECTED
  end
  local expiry = expiry_of(token:sub(1, first - 1))
  return expiry and { who = person_of(token:sub(first + 1, second - 1)), expires = expiry } or REJECTED
end, REMEMBERED_BYTES)

local function identify(received)
  -- Two copies arrive as one text with a comma, which is in no token.
  local token = received:get("x-amzn-oidc-data")
  if not token or #token > LARGEST_TOKEN then
    return DENIED
  end
  local decision = decision_on(token)
  if decision.expires + settings.leeway_seconds < os.time() then
    return DENIED
  end
  return decision.who
end

function envoy_on_request(handle)
  local received = handle:headers()
  local worked, who = pcall(identify, received)
  if not worked then
    who = DENIED
  end
  if who.user then
    received:replace("x-request-user", who.user)
  end
  if who.status then
    local content = settings.pages[who.status]
    if who.reason then
      handle:streamInfo():dynamicMetadata():set("identity", "refused", who.reason)
      content = content:gsub("{reason}", who.reason)
    end
    handle:respond({
      [":status"] = who.status,
      ["content-type"] = "text/html; charset=utf-8",
      ["www-authenticate"] = who.status == "401" and "Bearer" or nil,
    }, content)
    return
  end
  received:replace(settings.email_header, who.email)
  received:replace(settings.name_header, who.name)
  received:replace(settings.role_header, who.role)
end
