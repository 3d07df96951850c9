-- wrk: posts a submission that differs from all others, until the time is over; then every connection stays quiet, so
-- that each request that was sent is also answered and counted. Arguments: run, seconds, path.
local ffi = require("ffi")
ffi.cdef [[ typedef struct { long s; long ns; } bench_time; int clock_gettime(int, bench_time *); ]]
local clock = ffi.new("bench_time")
count = 0 -- not local: asked for by the main thread at the end
local deadline
local threads = {}
local tried = false
local head, body

local function now()
   ffi.C.clock_gettime(1, clock)
   return tonumber(clock.s) + tonumber(clock.ns) / 1e9
end

function setup(thread)
   thread:set("number", #threads)
   table.insert(threads, thread)
end

function init(arguments)
   run, seconds = arguments[1], tonumber(arguments[2])
   body = '{"name":"Ada Lovelace","email":"ada%d@visitor.example","message":"Hello, I would like to book a table for '
      .. 'four on Friday evening, number %s-%d-%d. Is there a vegan menu, and can we bring a dog?","hp_topic":""}'
   head = "POST " .. arguments[3] .. " HTTP/1.1\r\n"
      .. "Host: 127.0.0.1\r\n"
      .. "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n"
      .. "Accept: application/json\r\n"
      .. "Accept-Language: en-GB,en;q=0.8\r\n"
      .. "Origin: https://bench.example\r\n"
      .. "Referer: https://bench.example/contact\r\n"
      .. "Content-Type: application/json\r\n"
      .. "Content-Length: %d\r\n\r\n%s"
end

function request()
   local time = now()
   -- wrk asks the first thread once without sending it, to see what kind of request it is.
   if number == 0 and not tried then
      tried = true
   else
      deadline = deadline or time + seconds
      if time >= deadline then
         return ""
      end
      count = count + 1
   end
   local content = string.format(body, count, run, number, count)
   return string.format(head, #content, content)
end

function done(summary, latency)
   local sent = 0
   for _, thread in ipairs(threads) do
      sent = sent + thread:get("count")
   end
   local errors = summary.errors
   io.stderr:write(string.format(
      '{"sent":%d,"answered":%d,"refused":%d,"broken":%d,"p50":%.1f,"p90":%.1f,"p99":%.1f,"most":%.1f}\n',
      sent, summary.requests, errors.status, errors.connect + errors.read + errors.write,
      latency:percentile(50), latency:percentile(90), latency:percentile(99), latency.max))
end
