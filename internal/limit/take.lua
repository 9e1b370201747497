-- Counts one request of the client KEYS[1] and returns 0, or for how many microseconds it must wait. What is kept is the time at which
-- its bucket is full again. ARGV: the interval in which a bucket gains one request, and what a full one has besides that, in microseconds.
local interval, slack = tonumber(ARGV[1]), tonumber(ARGV[2])
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local full = tonumber(redis.call('GET', KEYS[1])) or now
-- No further ahead than a bucket is deep, whatever the clock was before: another server's, or set back.
full = math.min(math.max(full, now), now + slack + interval)
local wait = full - now - slack
if wait > 0 then
	return math.ceil(wait)
end
full = full + interval
redis.call('SET', KEYS[1], string.format('%.17g', full), 'PX', math.ceil((full - now) / 1000))
return 0
