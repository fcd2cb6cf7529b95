{{/* What admission policies have in common. */}}

{{/* Takes (list context name): the binding of a policy, and what both need. */}}
{{- define "supaplane.policyMetadata" -}}
{{- $context := index . 0 -}}
name: {{ index . 1 }}
labels:
  {{- include "supaplane.labels" (list $context "policies") | nindent 2 }}
{{- end }}

{{- define "supaplane.policyBinding" -}}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata:
  {{- include "supaplane.policyMetadata" . | nindent 2 }}
spec:
  policyName: {{ index . 1 }}
  validationActions: [Deny]
{{- end }}

{{/* A guard stays when the release goes: it guards data that stays too. */}}
{{- define "supaplane.guardMetadata" -}}
{{- include "supaplane.policyMetadata" . }}
annotations:
  helm.sh/resource-policy: keep
{{- end }}

{{/* Takes (list context name enabled). A guard that is off denies nothing: as it is kept, leaving it
out would not switch it off. */}}
{{- define "supaplane.guardBinding" -}}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata:
  {{- include "supaplane.guardMetadata" . | nindent 2 }}
spec:
  policyName: {{ index . 1 }}
  validationActions: [{{ index . 2 | ternary "Deny" "Audit" }}]
{{- end }}

{{/* Holds for the operator's requests only. */}}
{{- define "supaplane.onlyOperator" -}}
- name: is-the-operator
  expression: request.userInfo.username == '{{ include "supaplane.operator.user" . }}'
{{- end }}

{{/* CEL: whether an object carries the break-glass label. Takes the variable's name. */}}
{{- define "supaplane.mayGo" -}}
has({{ . }}.metadata.labels) && 'supaplane.dev/allow-delete' in {{ . }}.metadata.labels && {{ . }}.metadata.labels['supaplane.dev/allow-delete'] == 'true'
{{- end }}
