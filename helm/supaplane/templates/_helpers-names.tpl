{{/* Names. A project namespace belongs to one platform, so there is one Supaplane in a cluster and
its objects have fixed names: the operator relies on those of its Lease and of supaplane-project. */}}

{{- define "supaplane.operator.name" -}}supaplane-operator{{- end }}

{{- define "supaplane.api.name" -}}supaplane-api{{- end }}

{{- define "supaplane.database.name" -}}supaplane-trial-database{{- end }}

{{/* Secret with the URL of the management database, and its key. */}}
{{- define "supaplane.database.secretName" -}}
{{ if .Values.api.database.trial.enabled }}{{ include "supaplane.database.name" . }}{{ else }}{{ .Values.api.database.existingSecret.name }}{{ end }}
{{- end }}

{{- define "supaplane.database.secretKey" -}}
{{ if .Values.api.database.trial.enabled }}DATABASE_URL{{ else }}{{ .Values.api.database.existingSecret.key }}{{ end }}
{{- end }}

{{- define "supaplane.vector.name" -}}supaplane-vector{{- end }}

{{- define "supaplane.vector.secretName" -}}
{{ .Values.vector.existingSecret | default "supaplane-log-key" }}
{{- end }}

{{- define "supaplane.operator.user" -}}
system:serviceaccount:{{ .Release.Namespace }}:{{ include "supaplane.operator.name" . }}
{{- end }}

{{- define "supaplane.api.user" -}}
system:serviceaccount:{{ .Release.Namespace }}:{{ include "supaplane.api.name" . }}
{{- end }}

{{- define "supaplane.api.secretName" -}}
{{ .Values.api.secrets.existingSecret | default "supaplane-api-secrets" }}
{{- end }}

{{- define "supaplane.api.host" -}}
{{ .Values.api.ingress.host | default (printf "api.%s" .Values.domainBase) }}
{{- end }}
