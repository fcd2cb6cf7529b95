{{/* What the pods of operator and API have in common. */}}

{{/* Takes (list context values), the values those of a component. */}}
{{- define "supaplane.image" -}}
{{- $context := index . 0 -}}
{{- $image := (index . 1).image -}}
{{- with $context.Values.imageRegistry }}{{ . }}/{{ end -}}
{{ $image.repository }}
{{- if $image.digest }}@{{ $image.digest }}{{ else }}:{{ $image.tag | default $context.Chart.AppVersion }}{{ end }}
{{- end }}

{{/* As the Pod Security Standard `restricted` asks. */}}
{{- define "supaplane.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "supaplane.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{/* Takes (list context component values): where and how the pods run. */}}
{{- define "supaplane.placement" -}}
{{- $context := index . 0 -}}
{{- $component := index . 1 -}}
{{- $values := index . 2 -}}
# Variables of Services would look like settings: a Service is called supaplane-api.
enableServiceLinks: false
serviceAccountName: supaplane-{{ $component }}
securityContext:
  {{- include "supaplane.podSecurity" $context | nindent 2 }}
{{- with $context.Values.imagePullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- with $values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with $values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
affinity:
  {{- if $values.affinity }}
  {{- toYaml $values.affinity | nindent 2 }}
  {{- else }}
  podAntiAffinity:
    preferredDuringSchedulingIgnoredDuringExecution:
      - weight: 100
        podAffinityTerm:
          topologyKey: kubernetes.io/hostname
          labelSelector:
            matchLabels:
              {{- include "supaplane.selector" (list $context $component) | nindent 14 }}
  {{- end }}
{{- end }}

{{/* One variable, if it has a value. Takes (list name value). */}}
{{- define "supaplane.variable" -}}
{{- $value := index . 1 -}}
{{- if not (or (kindIs "invalid" $value) (eq (toString $value) "")) }}
- name: {{ index . 0 }}
  value: {{ $value | toString | quote }}
{{- end }}
{{- end }}
