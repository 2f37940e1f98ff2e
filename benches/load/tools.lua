-- GET with the token of the command line; or, with a file of tokens, one a line, with those in turn.

local threads = 0

function setup(thread)
    thread:set("id", threads)
    threads = threads + 1
end

local function in_turn(file)
    local requests = {}
    for token in io.lines(file) do
        requests[#requests + 1] = wrk.format("GET", nil, { Authorization = "Bearer " .. token })
    end
    -- Each thread from another place.
    local at = id * 311
    return function()
        at = at + 1
        return requests[at % #requests + 1]
    end
end

function init(arguments)
    if arguments[1] then
        request = in_turn(arguments[1])
    end
end

function done(summary, latency)
    local errors = summary.errors
    local bad = errors.status + errors.connect + errors.read + errors.write + errors.timeout
    local line = { "COUNT", summary.requests, summary.duration, bad }
    for _, percent in ipairs({ 50, 90, 99, 99.9 }) do
        line[#line + 1] = latency:percentile(percent)
    end
    line[#line + 1] = latency.max
    print(table.concat(line, " "))
end
