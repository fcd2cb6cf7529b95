-- Lets in whoever holds one of the project's keys, and says to the service behind whom they are.
-- The virtual host's metadata holds for each key the token that the services understand.

local function refuse(handle, message)
  handle:respond({ [":status"] = "401" }, message)
end

-- The value of `apikey` in the query, and the path without it: services take it for their own.
local function take_key(path)
  local bare, query = path:match("^([^?]*)%?(.*)$")
  if not query then
    return nil, path
  end
  local key, kept = nil, {}
  for pair in query:gmatch("[^&]+") do
    local value = pair:match("^apikey=(.*)$")
    if value then
      key = key or value
    else
      kept[#kept + 1] = pair
    end
  end
  if #kept > 0 then
    bare = bare .. "?" .. table.concat(kept, "&")
  end
  return key, bare
end

function envoy_on_request(handle)
  local headers = handle:headers()
  local from_query, path = take_key(headers:get(":path"))
  local key = headers:get("apikey")
  if key == nil or key == "" then
    key = from_query
  end
  if key == nil or key == "" then
    return refuse(handle, "No API key found in request")
  end
  local token = handle:virtualHost():metadata():get(key)
  if token == nil then
    return refuse(handle, "Invalid API key")
  end

  headers:replace("apikey", token)
  if from_query then
    headers:replace(":path", path)
  end
  -- a session's own token stays; a key of the new kind is no token, so it cannot
  local authorization = headers:get("authorization")
  if authorization == nil or authorization == "" or authorization:match("^[Bb]earer%s+sb_") then
    headers:replace("authorization", "Bearer " .. token)
  end
  -- where Realtime looks for the key of a socket
  if (headers:get("upgrade") or ""):lower() == "websocket" then
    headers:replace("x-api-key", token)
  end
end
