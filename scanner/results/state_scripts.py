"""The Lua scripts behind `redis_state.py`; each runs whole, nothing comes between its steps."""

from __future__ import annotations

from typing import Final

#: KEYS: lock, scan, open scans, scans. ARGV: id, prefix of scan keys, state, spec, name of
#: the lock, now, deadline, expiry, source, universe. Returns the id of the scan that holds the
#: universe, or nil.
OPEN: Final = """
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then
  local state = redis.call('HGET', ARGV[2] .. holder, 'state')
  if state == 'planned' or state == 'running' or state == 'closing' then return holder end
end
local now, deadline, expiry = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])
redis.call('SET', KEYS[1], ARGV[1], 'EX', math.max(1, math.ceil(deadline - now)))
redis.call('HSET', KEYS[2], 'state', ARGV[3], 'spec', ARGV[4], 'lock', ARGV[5],
  'asked_at', ARGV[6], 'deadline', ARGV[7], 'source', ARGV[9], 'universe', ARGV[10])
redis.call('EXPIRE', KEYS[2], expiry)
redis.call('ZADD', KEYS[3], ARGV[7], ARGV[1])
redis.call('EXPIRE', KEYS[3], expiry)
redis.call('ZADD', KEYS[4], ARGV[6], ARGV[1])
redis.call('EXPIRE', KEYS[4], expiry)
return nil
"""

#: KEYS: scan. ARGV: expected state ('' for any), new state ('' for the same), then fields and
#: values. Returns 1 if it was changed.
CHANGE: Final = """
local state = redis.call('HGET', KEYS[1], 'state')
if not state or (ARGV[1] ~= '' and state ~= ARGV[1]) then return 0 end
if ARGV[2] ~= '' then redis.call('HSET', KEYS[1], 'state', ARGV[2]) end
for i = 3, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
return 1
"""

#: KEYS: scan, records, retry, tasks, tasks under way. ARGV: expiry, final records, waiting records,
#: number of the batch or -1, field of the task that ends with this, then symbol and record of
#: each, then counters and amounts. Returns the symbols taken, or -1. A batch counts as a task once,
#: however often it is written.
WRITE: Final = """
local finals, waiting = tonumber(ARGV[2]), tonumber(ARGV[3])
redis.call('HDEL', KEYS[5], ARGV[5])
local state = redis.call('HGET', KEYS[1], 'state')
if state ~= 'running' then
  if state and finals + waiting > 0 then
    redis.call('HINCRBY', KEYS[1], 'event:refused', finals + waiting)
  end
  return -1
end
local taken, at = 0, 6
for _ = 1, finals do
  if redis.call('HSETNX', KEYS[2], ARGV[at], ARGV[at + 1]) == 1 then
    redis.call('HDEL', KEYS[3], ARGV[at])
    taken = taken + 1
  end
  at = at + 2
end
for _ = 1, waiting do
  if redis.call('HEXISTS', KEYS[2], ARGV[at]) == 0 then
    redis.call('HSET', KEYS[3], ARGV[at], ARGV[at + 1])
    taken = taken + 1
  end
  at = at + 2
end
if taken < finals + waiting then
  redis.call('HINCRBY', KEYS[1], 'event:refused', finals + waiting - taken)
end
for i = at, #ARGV, 2 do redis.call('HINCRBYFLOAT', KEYS[1], ARGV[i], ARGV[i + 1]) end
if tonumber(ARGV[4]) >= 0 and redis.call('SETBIT', KEYS[4], ARGV[4], 1) == 0 then
  redis.call('HINCRBY', KEYS[1], 'tasks', 1)
end
for i = 2, 4 do redis.call('EXPIRE', KEYS[i], ARGV[1]) end
return taken
"""

#: KEYS: tasks that a process has under way. ARGV: field, value. Returns 1 if it is taken away now.
TAKE: Final = """
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
return redis.call('HDEL', KEYS[1], ARGV[1])
"""

#: KEYS: scan. ARGV: now, lease in seconds. Returns the time of the first closing as text to
#: the one caller that is to close the scan, else nil.
CLOSE: Final = """
local state = redis.call('HGET', KEYS[1], 'state')
local now, lease = tonumber(ARGV[1]), tonumber(ARGV[2])
if state == 'planned' or state == 'running' then
  redis.call('HSET', KEYS[1], 'state', 'closing', 'closed_at', ARGV[1])
elseif state ~= 'closing' or tonumber(redis.call('HGET', KEYS[1], 'closing_until')) > now then
  return nil
end
redis.call('HSET', KEYS[1], 'closing_until', tostring(now + lease))
return redis.call('HGET', KEYS[1], 'closed_at')
"""

#: KEYS: scan, its universe, lock, open scans. ARGV: id, packed universe, deadline, seconds that
#: the lock is kept beyond it, expiry, then fields and values. Returns 1 if the scan was planned
#: and runs now; else nothing is changed.
START: Final = """
if redis.call('HGET', KEYS[1], 'state') ~= 'planned' then return 0 end
redis.call('HSET', KEYS[1], 'state', 'running', 'deadline', ARGV[3])
for i = 6, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
redis.call('SET', KEYS[2], ARGV[2], 'EX', ARGV[5])
if redis.call('GET', KEYS[3]) == ARGV[1] then
  redis.call('EXPIREAT', KEYS[3], math.ceil(tonumber(ARGV[3]) + tonumber(ARGV[4])))
end
redis.call('ZADD', KEYS[4], 'XX', ARGV[3], ARGV[1])
return 1
"""

#: KEYS: scan. ARGV: field, other field. Adds one to a field of a scan that has not gone, and
#: deletes the other one, which does not hold any more; there may be none. Returns the
#: field's value, or 0 if the scan has gone.
COUNT: Final = """
if redis.call('HEXISTS', KEYS[1], 'state') == 1 then
  redis.call('HDEL', KEYS[1], ARGV[2])
  return redis.call('HINCRBY', KEYS[1], ARGV[1], 1)
end
return 0
"""

#: KEYS: scan, lock, open scans. ARGV: id, deadline, seconds that the lock is kept beyond it, then
#: fields and values. Returns 1 if the scan is planned still and has the deadline now.
PREPARE: Final = """
if redis.call('HGET', KEYS[1], 'state') ~= 'planned' then return 0 end
redis.call('HSET', KEYS[1], 'deadline', ARGV[2])
for i = 4, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
if redis.call('GET', KEYS[2]) == ARGV[1] then
  redis.call('EXPIREAT', KEYS[2], math.ceil(tonumber(ARGV[2]) + tonumber(ARGV[3])))
end
redis.call('ZADD', KEYS[3], 'XX', ARGV[2], ARGV[1])
return 1
"""

#: KEYS: scan, lock, open scans. ARGV: id, last state, number of states that it may come from,
#: those states, then fields and values. Returns 1 if the scan is over now and its universe free;
#: else nothing is changed.
END: Final = """
local state, allowed = redis.call('HGET', KEYS[1], 'state'), false
local states = tonumber(ARGV[3])
for i = 4, 3 + states do allowed = allowed or state == ARGV[i] end
if not allowed then return 0 end
redis.call('HSET', KEYS[1], 'state', ARGV[2])
for i = 4 + states, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
redis.call('ZREM', KEYS[3], ARGV[1])
if redis.call('GET', KEYS[2]) == ARGV[1] then redis.call('DEL', KEYS[2]) end
return 1
"""

#: KEYS: scan. ARGV: number, why. Adds batches to a scan that has not gone, and returns how many it
#: has.
MORE: Final = """
if redis.call('HEXISTS', KEYS[1], 'state') == 0 then return nil end
redis.call('HINCRBY', KEYS[1], 'event:republished:' .. ARGV[2], ARGV[1])
return redis.call('HINCRBY', KEYS[1], 'batches', ARGV[1])
"""

#: KEYS: scan, lock, open scans, records that wait, records, tasks, universe, texts. ARGV: id, now,
#: deadline, seconds that the lock is kept beyond it, prefix of scan keys, expiry, number of states
#: that it may come from, those states. Lets a scan that is over run again: what has a final record
#: keeps it, and all tasks so far count as ended. Returns 1, or the id of the scan that holds the
#: universe, or 0 if it is in another state or was never planned.
REOPEN: Final = """
local state, allowed = redis.call('HGET', KEYS[1], 'state'), false
for i = 8, 7 + tonumber(ARGV[7]) do allowed = allowed or state == ARGV[i] end
if not allowed or redis.call('HEXISTS', KEYS[1], 'total') == 0 then return 0 end
local holder = redis.call('GET', KEYS[2])
if holder and holder ~= ARGV[1] then
  local other = redis.call('HGET', ARGV[5] .. holder, 'state')
  if other == 'planned' or other == 'running' or other == 'closing' then return holder end
end
local ends = tonumber(ARGV[3]) - tonumber(ARGV[2]) + tonumber(ARGV[4])
local batches = tonumber(redis.call('HGET', KEYS[1], 'batches'))
redis.call('SET', KEYS[2], ARGV[1], 'EX', math.max(1, math.ceil(ends)))
redis.call('HSET', KEYS[1], 'state', 'running', 'deadline', ARGV[3], 'tasks', batches)
redis.call('HDEL', KEYS[1], 'message', 'closed_at', 'closing_until', 'finished_at', 'idle_rounds',
  'round_recorded', 'moved', 'moved_at', 'second_round')
redis.call('HINCRBY', KEYS[1], 'revision', 1)
redis.call('DEL', KEYS[4])
redis.call('SET', KEYS[6], string.rep('\\255', math.floor(batches / 8)))
for i = batches - batches % 8, batches - 1 do redis.call('SETBIT', KEYS[6], i, 1) end
redis.call('ZADD', KEYS[3], ARGV[3], ARGV[1])
for _, i in ipairs({1, 3, 5, 6, 7, 8}) do redis.call('EXPIRE', KEYS[i], ARGV[6]) end
return 1
"""
