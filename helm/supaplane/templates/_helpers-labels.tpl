{{/* Labels. Takes (list context component), the component as in "operator". */}}

{{- define "supaplane.labels" -}}
{{- $context := index . 0 -}}
{{ include "supaplane.selector" . }}
app.kubernetes.io/part-of: supaplane
app.kubernetes.io/component: {{ index . 1 }}
app.kubernetes.io/version: {{ $context.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $context.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $context.Chart.Name $context.Chart.Version | replace "+" "_" }}
{{- end }}

{{/* Projects let pods with the name supaplane-api in: render/network.py of the operator. */}}
{{- define "supaplane.selector" -}}
{{- $context := index . 0 -}}
app.kubernetes.io/name: supaplane-{{ index . 1 }}
app.kubernetes.io/instance: {{ $context.Release.Name }}
{{- end }}
