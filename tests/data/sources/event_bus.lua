#!/usr/bin/env lua
-- Delivers named events to the functions that subscribed to them.
local EventBus = {}
EventBus.__index = EventBus

local DEFAULT_LIMIT = 64
local HELP = [[
usage: bus.on(name, handler)
  if handler then ... end
]]

local function assert_name(name)
  if type(name) ~= "string" then
    error("an event has a name, got " .. type(name), 3)
  elseif name == "" then
    error("the name of an event is empty", 3)
  end
end

--- Makes a bus without subscribers.
-- @param options `limit`: most handlers of one event
function EventBus.new(options)
  options = options or {}
  local self = setmetatable({}, EventBus)
  self.handlers = {}
  self.limit = options.limit or DEFAULT_LIMIT
  self.log = {
    sent = 0,
    dropped = 0,
    on_drop = function(name)
      io.stderr:write("dropped ", name, "\n")
    end,
  }
  return self
end

function EventBus:on(name, handler, priority)
  assert_name(name)
  local list = self.handlers[name]
  if not list then
    list = {}
    self.handlers[name] = list
  end

  if #list >= self.limit then
    return nil, "too many handlers for " .. name
  end

  table.insert(list, { call = handler, priority = priority or 0 })
  table.sort(list, function(a, b)
    return a.priority > b.priority
  end)

  -- The function that is returned ends the subscription.
  return function()
    for index, entry in ipairs(list) do
      if entry.call == handler then
        table.remove(list, index)
        return true
      end
    end
    return false
  end
end

function EventBus:emit(name, ...)
  assert_name(name)
  local list = self.handlers[name]
  if not list or #list == 0 then
    self.log.dropped = self.log.dropped + 1
    self.log.on_drop(name)
    return 0
  end

  local sent, index = 0, 1
  while index <= #list do
    local ok, message = pcall(list[index].call, ...)
    if ok then
      sent = sent + 1
    else
      print(("handler of %s failed: %s"):format(name, message))
    end
    index = index + 1
  end

  self.log.sent = self.log.sent + sent
  return sent
end

function EventBus:drain(queue)
  local count = 0
  repeat
    local event = table.remove(queue, 1)
    if event then
      self:emit(event.name, table.unpack(event))
      count = count + 1
    end
  until not event

  for turn = count, 1, -1 do
    queue[turn] = nil
  end
  return count
end

EventBus.help = HELP

return EventBus
