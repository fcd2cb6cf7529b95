-- Says in `sb-api-key` which token a key of the new kind stands for, and leaves what was shown to the
-- code behind, which may compare keys by itself.
-- The virtual host's metadata holds for each key the token that the services understand.

local function refuse(handle, message)
  handle:respond({ [":status"] = "401" }, message)
end

function envoy_on_request(handle)
  local headers = handle:headers()
  headers:remove("sb-api-key") -- nobody but the gateway says this
  local apikey = headers:get("apikey") or ""
  local bearer = (headers:get("authorization") or ""):match("^[Bb]earer%s+(.*)$") or ""
  local tokens = handle:virtualHost():metadata()
  local key = nil
  for _, shown in ipairs({ apikey, bearer }) do
    if shown:match("^sb_") then
      if tokens:get(shown) == nil then
        return refuse(handle, "Invalid API key")
      end
      if key and key ~= shown then
        return refuse(handle, "Two different API keys found in request")
      end
      key = shown
    end
  end
  if key then
    headers:replace("sb-api-key", tokens:get(key))
  end
end
