-- A user's id in the log: the first 16 hexadecimal digits of HMAC-SHA256 of the e-mail address. Envoy offers Lua no digest.
--
-- `key` is put before this text: 64 characters, which is one block of SHA-256.

local bit, ffi = require("bit"), require("ffi")
-- Under names that are no field of `bit`, so that they can be made shorter.
local conj, disj, xor, left, right = bit.band, bit.bor, bit.bxor, bit.lshift, bit.rshift
local rotate, integer, digits = bit.ror, bit.tobit, bit.tohex

-- The constants of FIPS 180-4, 4.2.2 and 5.3.3: fractions of the roots of the first primes.
local function fraction(value)
  return integer(math.floor(value % 1 * 2 ^ 32))
end

local START, ROUNDS = {}, {}
local number = 2
while #ROUNDS < 64 do
  local is_prime = true
  for divisor = 2, number ^ 0.5 do
    is_prime = is_prime and number % divisor > 0
  end
  if is_prime then
    if #START < 8 then
      table.insert(START, fraction(number ^ 0.5))
    end
    table.insert(ROUNDS, fraction(number ^ (1 / 3)))
  end
  number = number + 1
end

local words = {}

-- Adds the block in `words` to a digest, which it changes.
local function add_words(digest)
  for index = 17, 64 do
    local a, b = words[index - 15], words[index - 2]
    a = xor(rotate(a, 7), rotate(a, 18), right(a, 3))
    b = xor(rotate(b, 17), rotate(b, 19), right(b, 10))
    words[index] = integer(words[index - 16] + a + words[index - 7] + b)
  end
  local a, b, c, d, e, f, g, h = unpack(digest)
  for index = 1, 64 do
    local first = h + xor(rotate(e, 6), rotate(e, 11), rotate(e, 25)) + xor(g, conj(e, xor(f, g))) + ROUNDS[index] + words[index]
    local second = xor(rotate(a, 2), rotate(a, 13), rotate(a, 22)) + xor(conj(a, xor(b, c)), conj(b, c))
    a, b, c, d, e, f, g, h = integer(first + second), a, b, c, integer(d + first), e, f, g
  end
  for index, value in ipairs({ a, b, c, d, e, f, g, h }) do
    digest[index] = integer(digest[index] + value)
  end
  return digest
end

-- Adds a text of whole blocks to a copy of a digest.
local function with_text(digest, text)
  digest = { unpack(digest) }
  for block = 1, #text, 64 do
    for index = 1, 16 do
      local a, b, c, d = text:byte(block + index * 4 - 4, block + index * 4)
      words[index] = disj(left(a, 24), left(b, 16), left(c, 8), d)
    end
    add_words(digest)
  end
  return digest
end

-- The key's block begins both hashes of every address, so it is added once: half of the work.
local function keyed(with)
  return with_text(START, key:gsub(".", function(character)
    return string.char(xor(character:byte(), with))
  end))
end

local INNER, OUTER = keyed(54), keyed(92)

local function user_id(address)
  local length = 64 + #address
  local zeros = string.rep("\0", (55 - length) % 64 + 6)
  local inner = with_text(INNER, address .. "\128" .. zeros .. string.char(right(length, 5), conj(left(length, 3), 255)))
  for index = 1, 16 do
    words[index] = inner[index] or 0
  end
  -- The end of a message of 96 bytes: one bit, and the length in bits.
  words[9], words[16] = left(1, 31), 768
  local outer = add_words({ unpack(OUTER) })
  return digits(outer[1]) .. digits(outer[2])
end
