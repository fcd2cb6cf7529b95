-- Makes a key that is shown into the token that it stands for. Whoever shows none gets through too:
-- the service behind decides, by links that are public, signed, or signed for S3.
-- The virtual host's metadata holds for each key the token that the services understand.

function envoy_on_request(handle)
  local headers = handle:headers()
  local tokens = handle:virtualHost():metadata()
  local token = tokens:get(headers:get("apikey") or "")
  if token then
    headers:replace("apikey", token)
  end
  local authorization = headers:get("authorization") or ""
  local key = authorization:match("^[Bb]earer%s+(sb_.*)$")
  if key then
    token = tokens:get(key)
  elseif authorization ~= "" then
    return -- a session's own token, or a signature
  end
  if token then
    headers:replace("authorization", "Bearer " .. token)
  elseif authorization == "" then
    -- an empty one would make the service refuse a link that is signed
    headers:remove("authorization")
  end
end
