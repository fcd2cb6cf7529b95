{{/* What no schema can say. Included once, by the operator's Deployment. */}}
{{- define "supaplane.checks" -}}
{{- if not .Values.domainBase }}
{{- fail "\n\ndomainBase is needed: --set domainBase=projects.example.org" }}
{{- end }}
{{- if has .Release.Namespace .Values.homeNamespaces }}
{{- fail (printf "\n\nthe release must not be in a home namespace: the operator reads the Secrets of home namespaces, and those of the API are in %s. Install into another namespace, as in --namespace supaplane-system --create-namespace" .Release.Namespace) }}
{{- end }}
{{- range .Values.homeNamespaces }}
{{- if or (hasPrefix "kube-" .) (hasPrefix "supabase-" .) (eq . "default") }}
{{- fail (printf "\n\n%s cannot be a home namespace: the operator reads the Secrets of home namespaces" .) }}
{{- end }}
{{- end }}
{{- if .Values.vector.enabled }}
{{- $logs := .Values.vector.namespace }}
{{- if or (eq $logs .Release.Namespace) (has $logs .Values.homeNamespaces) (hasPrefix "kube-" $logs) (hasPrefix "supabase-" $logs) (eq $logs "default") }}
{{- fail (printf "\n\nvector.namespace must be a namespace of its own: its pods may read all logs of a node, and %s has other pods or Secrets" $logs) }}
{{- end }}
{{- end }}
{{- if .Values.api.enabled }}
{{- $given := .Values.api.database.existingSecret.name }}
{{- $trial := .Values.api.database.trial.enabled }}
{{- if and $given $trial }}
{{- fail "\n\napi.database.existingSecret.name and api.database.trial.enabled are two databases: give one of them" }}
{{- end }}
{{- if and .Values.api.httpRoute.enabled (not .Values.api.httpRoute.parentRefs) }}
{{- fail "\n\napi.httpRoute.parentRefs is needed: the Gateways that lead to the API" }}
{{- end }}
{{- if not (or $given $trial) }}
{{- fail "\n\napi.database.existingSecret.name is needed: the Secret with the DATABASE_URL of the management database (or --set api.database.trial.enabled=true to try Supaplane out, or --set api.enabled=false)" }}
{{- end }}
{{- end }}
{{- if .Values.api.enabled }}
{{- $mail := .Values.api.mail }}
{{- if and $mail.host (or (not $mail.from) (not .Values.api.studioUrl)) }}
{{- fail "\n\napi.mail.from and api.studioUrl are needed with api.mail.host: the sender of mails, and where their links lead" }}
{{- end }}
{{- if and $mail.host $mail.existingSecret.name (eq $mail.tls "none") }}
{{- fail "\n\napi.mail.tls=none would send the password in clear: use starttls or tls" }}
{{- end }}
{{- if and .Values.api.allowSignup (not $mail.host) (not .Values.api.signupAutoconfirm) }}
{{- fail "\n\napi.allowSignup takes api.mail.host, by which new accounts confirm their address (or --set api.signupAutoconfirm=true to take addresses unproven)" }}
{{- end }}
{{- end }}
{{- if and .Values.dns.hook.url (not .Values.dns.hook.keySecret.name) }}
{{- fail "\n\ndns.hook.keySecret.name is needed with dns.hook.url: the Secret with the key that signs what the hook is told" }}
{{- end }}
{{- end }}
