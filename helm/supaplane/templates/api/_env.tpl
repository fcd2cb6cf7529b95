{{/* The API's settings. A test holds the names equal to those that the API knows. */}}
{{- define "supaplane.api.env" -}}
{{- $api := .Values.api }}
- name: DATABASE_URL
  valueFrom:
    secretKeyRef:
      name: {{ include "supaplane.database.secretName" . }}
      key: {{ include "supaplane.database.secretKey" . }}
{{- range list "JWT_SECRET" "ENCRYPTION_SECRET" }}
- name: {{ . }}
  valueFrom:
    secretKeyRef:
      name: {{ include "supaplane.api.secretName" $ }}
      key: {{ . }}
{{- end }}
# Only while JWT_SECRET is being changed.
- name: JWT_SECRET_PREVIOUS
  valueFrom:
    secretKeyRef:
      name: {{ include "supaplane.api.secretName" $ }}
      key: JWT_SECRET_PREVIOUS
      optional: true
- name: SUPAPLANE_ENVIRONMENT
  value: production
- name: PORT
  value: "8080"
- name: DOMAIN_BASE
  value: {{ .Values.domainBase | quote }}
- name: SUPAPLANE_HOME_NAMESPACES
  value: {{ join "," .Values.homeNamespaces | quote }}
{{- include "supaplane.variable" (list "SUPAPLANE_URL_SCHEME" .Values.projects.urlScheme) }}
{{- include "supaplane.variable" (list "SUPAPLANE_URL_PORT" .Values.projects.urlPort) }}
{{- include "supaplane.variable" (list "SUPAPLANE_LOG_LEVEL" $api.logLevel) }}
{{- include "supaplane.variable" (list "DATABASE_POOL_SIZE" $api.database.poolSize) }}
{{- include "supaplane.variable" (list "ALLOW_SIGNUP" $api.allowSignup) }}
{{- include "supaplane.variable" (list "SIGNUP_AUTOCONFIRM" $api.signupAutoconfirm) }}
{{- include "supaplane.variable" (list "SIGNUPS_PER_HOUR" $api.signupsPerHour) }}
{{- include "supaplane.variable" (list "ACCESS_TOKEN_SECONDS" $api.accessTokenSeconds) }}
{{- include "supaplane.variable" (list "SESSION_DAYS" $api.sessionDays) }}
{{- with $api.mail }}
{{- if .host }}
{{- include "supaplane.variable" (list "SMTP_HOST" .host) }}
{{- include "supaplane.variable" (list "SMTP_PORT" .port) }}
{{- include "supaplane.variable" (list "SMTP_TLS" .tls) }}
{{- include "supaplane.variable" (list "SMTP_FROM" .from) }}
{{- $base := .linksBase | default (printf "https://%s" (include "supaplane.api.host" $)) }}
{{- include "supaplane.variable" (list "MAIL_LINKS_BASE" $base) }}
{{- if .existingSecret.name }}
- name: SMTP_USER
  valueFrom:
    secretKeyRef:
      name: {{ .existingSecret.name }}
      key: {{ .existingSecret.userKey }}
- name: SMTP_PASSWORD
  valueFrom:
    secretKeyRef:
      name: {{ .existingSecret.name }}
      key: {{ .existingSecret.passwordKey }}
{{- end }}
{{- end }}
{{- end }}
{{- include "supaplane.variable" (list "DOMAIN_STUDIO_URL" $api.studioUrl) }}
{{- include "supaplane.variable" (list "FORWARDED_ALLOW_IPS" $api.forwardedAllowIps) }}
{{- include "supaplane.variable" (list "MAX_BODY_BYTES" (int64 $api.maxBodyBytes)) }}
{{- include "supaplane.variable" (list "POSTGRES_DISK_SIZE" $api.newProjects.diskSize) }}
{{- include "supaplane.variable" (list "POSTGRES_DEFAULT_VERSION" $api.newProjects.postgresVersion) }}
{{- include "supaplane.variable" (list "POSTGRES_DOCKER_IMAGE" $api.newProjects.postgresImage) }}
{{- end }}
