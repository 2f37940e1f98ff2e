-- Requests of several classes from files, each answer noted with its class, its status, the second in
-- which it came and how long it took.
--
-- Run it with one connection for each thread: the answer is then that to the last request. Arguments:
-- the folder, when second 0 begins (seconds since 1970), how many seconds there are, in which one keys
-- are rotated, how many requests sent once there are in a second, and "strangers" for these alone.

local ffi = require("ffi")
ffi.cdef([[
    typedef struct { long seconds; long nanos; } load_time;
    int clock_gettime(int clock, load_time *time);
]])
local WALL, STEADY = 0, 1
local time = ffi.new("load_time")

local function clock(which)
    ffi.C.clock_gettime(which, time)
    return tonumber(time.seconds) + tonumber(time.nanos) / 1e9
end

local threads = {}

function setup(thread)
    thread:set("id", #threads)
    threads[#threads + 1] = thread
end

local folder, begin, seconds, rotation, each_second

local function pool(name)
    local lines = {}
    for line in io.lines(folder .. "/" .. name) do
        local class, request = line:match("^(%d+) (.*)$")
        lines[#lines + 1] = { class = tonumber(class), text = (request:gsub("|", "\r\n")) }
    end
    return lines
end

-- One after the other without end, each thread from another place.
local function in_turn(lines)
    local at = id * 311
    return function()
        at = at + 1
        return lines[at % #lines + 1]
    end
end

-- Each one once, at its time.
local function once(lines)
    local sent = 0
    return function(elapsed)
        if sent < elapsed * each_second and sent < #lines then
            sent = sent + 1
            return lines[sent]
        end
    end
end

local function everything()
    local known, rotated = in_turn(pool("known")), in_turn(pool("rotated"))
    local second, refused = in_turn(pool("second")), in_turn(pool("refused"))
    local new, proof = once(pool("new-" .. id)), once(pool("proofs-" .. id))
    local count, good = 0, 0
    return function(elapsed)
        count = count + 1
        if count % 5 == 0 then
            return refused()
        end
        local single = count % 20 == 1 and new(elapsed) or count % 20 == 11 and proof(elapsed)
        if single then
            return single
        end
        good = good + 1
        if good % 6 == 0 then
            return second()
        elseif elapsed >= rotation and good % 2 == 0 then
            return rotated()
        end
        return known()
    end
end

local choose, class, sent

-- How many answers there were, by second, class, status and latency. What it is counted under is one
-- number, for speed.
noted = {}

function init(arguments)
    folder, seconds, rotation = arguments[1], tonumber(arguments[3]), tonumber(arguments[4])
    each_second = tonumber(arguments[5])
    begin = tonumber(arguments[2]) - clock(WALL) + clock(STEADY)
    if arguments[6] == "strangers" then
        choose = in_turn(pool("strangers"))
        delay = function()
            return 5
        end
    else
        choose = everything()
    end
end

function request()
    local item = choose(clock(STEADY) - begin)
    class = item.class
    sent = clock(STEADY)
    return item.text
end

-- Sixteen steps for each doubling of the microseconds.
local function step(latency)
    return math.floor(16 * math.log(math.max(latency * 1e6, 1)) / math.log(2))
end

function response(status)
    local now = clock(STEADY)
    local second = math.floor(now - begin)
    if second >= 0 and second < seconds then
        local key = ((second * 100 + class) * 1000 + status) * 1000 + step(now - sent)
        noted[key] = (noted[key] or 0) + 1
    end
end

function done(summary)
    local all = {}
    for _, thread in ipairs(threads) do
        for key, count in pairs(thread:get("noted")) do
            all[key] = (all[key] or 0) + count
        end
    end
    for key, count in pairs(all) do
        local latency, rest = key % 1000, math.floor(key / 1000)
        local status, place = rest % 1000, math.floor(rest / 1000)
        print(table.concat({ "NOTED", math.floor(place / 100), place % 100, status, latency, count }, " "))
    end
    local errors = summary.errors
    print("BROKEN " .. errors.connect + errors.read + errors.write + errors.timeout)
end
