"""The Lua scripts behind `redis_budget.py`; each runs whole, nothing comes between its steps.

All moments are microseconds of the server's clock, so no two machines' clocks have to agree.
"""

from __future__ import annotations

from typing import Final

#: The generic cell rate algorithm with places promised by kind, a cooldown and a breaker.
#: `free` is when the schedule is free again: a token's moment is `free` less what the burst lets
#: the schedule run ahead. `live`, `market` and `bars` are where the line of those who wait for a
#: later place ends; `short` is until when samples are left out.
#: KEYS: budget, cooldown, breaker. ARGV: time between tokens, time that the schedule may run
#: ahead, window, horizon (furthest moment for which a token is given), longest wait, kind (1 goes
#: first, 4 is the sample), whether a place was promised before, lease of a probe.
#: Returns outcome, time to wait, server's time, failures in a row, whether a cooldown is on,
#: whether the token is the probe.
RESERVE: Final = """
local REFUSED, GRANTED, QUEUED, PAUSED = 0, 1, 2, 3
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local interval, ahead, window, horizon = unpack(ARGV, 1, 4)
local longest, kind, promised, lease = unpack(ARGV, 5, 8)
kind = tonumber(kind)
local function whole(value) return string.format('%.0f', value) end

local breaker = redis.call('HMGET', KEYS[3], 'until', 'failures')
local paused, failures = tonumber(breaker[1] or '0'), tonumber(breaker[2] or '0')
if paused > now then return {PAUSED, paused - now, whole(now), failures, 0, 0} end

local start = math.max(now, tonumber(redis.call('HGET', KEYS[2], 'until') or '0'))
local cooling = start > now and 1 or 0
local names = {'live', 'market', 'bars'}
local found = redis.call('HMGET', KEYS[1], 'free', 'live', 'market', 'bars', 'short')
for at = 1, 5 do found[at] = tonumber(found[at] or '0') end
local free, short, last = math.max(found[1], start), found[5], math.max(unpack(found))
local before, place = free, free
for at = 1, math.min(kind, 3) do
  if at < kind then before = math.max(before, found[at + 1]) end
  place = math.max(place, found[at + 1])
end
if promised == '1' then place = before end
local function wait_for(moment) return math.max(moment - ahead, start) - now end
local function keep(name, value)
  redis.call('HSET', KEYS[1], name, whole(value))
  last = math.max(last, value)
  redis.call('PEXPIRE', KEYS[1], whole(math.ceil((last - now) / 1000) + 1000))
end

if kind == 4 and (math.max(place, short) > now or failures > 0) then
  return {REFUSED, math.max(place, short) - now, whole(now), failures, cooling, 0}
end
local wait = wait_for(free)
if place == free and wait <= math.min(horizon, longest) then
  if interval ~= '0' then keep('free', free + interval) end
  local probe = paused > 0 and 1 or 0
  if probe == 1 then redis.call('HSET', KEYS[3], 'until', whole(now + wait + lease)) end
  return {GRANTED, wait, whole(now), failures, cooling, probe}
end
place = math.max(before, found[kind + 1])
wait = wait_for(place)
if wait > tonumber(longest) then
  keep('short', math.max(short, now + window))
  return {REFUSED, wait, whole(now), failures, cooling, 0}
end
keep(names[kind], place + interval)
keep('short', math.max(short, place + window))
return {QUEUED, wait, whole(now), failures, cooling, 0}
"""

#: KEYS: cooldown. ARGV: time to pause, whether that is a guess, longest guess, time after which a
#: guess is forgotten. Returns the time to the end, which only moves forwards.
#: A guess after another one that was too short is twice as long; those of a moment count once.
COOL: Final = """
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local pause, guessed, longest, memory = unpack(ARGV)
local found = redis.call('HMGET', KEYS[1], 'until', 'pause')
local before, last, kept = tonumber(found[1] or '0'), tonumber(found[2] or '0'), 0
pause = tonumber(pause)
if guessed == '1' then
  if before <= now then pause = math.max(pause, math.min(2 * last, longest)) end
  kept = tonumber(memory)
  redis.call('HSET', KEYS[1], 'pause', string.format('%.0f', math.max(pause, last)))
end
local ends = math.max(before, now + pause)
if ends > now then
  redis.call('HSET', KEYS[1], 'until', string.format('%.0f', ends))
  redis.call('PEXPIRE', KEYS[1], string.format('%.0f', math.ceil((ends - now + kept) / 1000)))
end
return ends - now
"""

#: A fetch failed. KEYS: breaker. ARGV: whether it was the probe, failures in a row that open the
#: breaker, first and longest pause, time after which failures are forgotten.
#: What was sent before the breaker opened says nothing new when it fails.
FAILED: Final = """
local most, first, longest, memory = unpack(ARGV, 2, 5)
local found = redis.call('HMGET', KEYS[1], 'until', 'failures', 'pause')
if found[1] and ARGV[1] == '0' then return 0 end
local failures, pause = tonumber(found[2] or '0') + 1, 0
if ARGV[1] == '1' then
  pause = math.min(math.max(2 * (found[3] or 0), first), longest)
elseif failures >= tonumber(most) then
  pause = tonumber(first)
end
redis.call('HSET', KEYS[1], 'failures', failures)
if pause > 0 then
  local clock = redis.call('TIME')
  local ends = clock[1] * 1000000 + clock[2] + pause
  redis.call('HSET', KEYS[1], 'pause', string.format('%.0f', pause),
    'until', string.format('%.0f', ends))
end
redis.call('PEXPIRE', KEYS[1], string.format('%.0f', math.ceil((pause + memory) / 1000)))
return pause
"""

#: The provider answered. KEYS: breaker. ARGV: whether it was the probe; only that one closes.
ANSWERED: Final = """
if ARGV[1] == '1' or not redis.call('HGET', KEYS[1], 'until') then
  return redis.call('DEL', KEYS[1])
end
return 0
"""
