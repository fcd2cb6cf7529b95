{{/* The operator's settings. A test holds the names equal to those that the operator knows. */}}
{{- define "supaplane.operator.env" -}}
{{- $projects := .Values.projects }}
{{- $operator := .Values.operator }}
- name: DOMAIN_BASE
  value: {{ .Values.domainBase | quote }}
- name: SUPAPLANE_HOME_NAMESPACES
  value: {{ join "," .Values.homeNamespaces | quote }}
- name: SUPAPLANE_LEASE
  value: "on"
- name: SUPAPLANE_OPERATOR_NAMESPACE
  value: {{ .Release.Namespace | quote }}
- name: SUPAPLANE_SERVICE_ACCOUNT
  value: {{ include "supaplane.operator.name" . | quote }}
- name: SUPAPLANE_IDENTITY
  valueFrom:
    fieldRef:
      fieldPath: metadata.name
- name: SUPAPLANE_PROBE_PORT
  value: "8080"
{{- include "supaplane.variable" (list "SUPAPLANE_URL_SCHEME" $projects.urlScheme) }}
{{- include "supaplane.variable" (list "SUPAPLANE_URL_PORT" $projects.urlPort) }}
{{- include "supaplane.variable" (list "SUPAPLANE_CLUSTER_DOMAIN" $projects.clusterDomain) }}
{{- include "supaplane.variable" (list "SUPAPLANE_STORAGE_CLASS" $projects.storageClass) }}
{{- include "supaplane.variable" (list "SUPAPLANE_DNS_NAMESPACE" $projects.dnsNamespace) }}
{{- include "supaplane.variable" (list "SUPAPLANE_DNS_CIDRS" (join "," $projects.dnsCidrs)) }}
{{- include "supaplane.variable" (list "SUPAPLANE_EGRESS_EXCEPT" (join "," $projects.egressExcept)) }}
{{- if .Values.api.enabled }}
{{- include "supaplane.variable" (list "SUPAPLANE_API_NAMESPACE" .Release.Namespace) }}
{{- end }}
{{- if .Values.vector.enabled }}
{{- include "supaplane.variable" (list "SUPAPLANE_LOG_NAMESPACE" .Values.vector.namespace) }}
- name: SUPAPLANE_LOG_KEY
  valueFrom:
    secretKeyRef:
      name: {{ include "supaplane.vector.secretName" . }}
      key: LOG_KEY
{{- end }}
{{- include "supaplane.variable" (list "SUPAPLANE_ALLOWED_ANNOTATIONS" (join "," $projects.allowedAnnotations)) }}
{{- include "supaplane.variable" (list "SUPAPLANE_IMAGE_PULL_SECRETS" (join "," $projects.imagePullSecrets)) }}
{{- include "supaplane.variable" (list "SUPAPLANE_INGRESS_KIND" $projects.ingress.kind) }}
{{- include "supaplane.variable" (list "SUPAPLANE_INGRESS_CLASS" $projects.ingress.className) }}
{{- with $projects.ingress.annotations }}
{{- include "supaplane.variable" (list "SUPAPLANE_INGRESS_ANNOTATIONS" (toJson .)) }}
{{- end }}
{{- with $projects.ingress.parentRefs }}
{{- include "supaplane.variable" (list "SUPAPLANE_INGRESS_PARENT_REFS" (toJson .)) }}
{{- end }}
{{- include "supaplane.variable" (list "SUPAPLANE_INGRESS_NAMESPACES" (join "," $projects.ingress.namespaces)) }}
{{- include "supaplane.variable" (list "SUPAPLANE_TLS_ISSUER" $projects.ingress.tlsIssuer) }}
{{- include "supaplane.variable" (list "SUPAPLANE_LOG_FORMAT" $operator.logFormat) }}
{{- include "supaplane.variable" (list "SUPAPLANE_LOG_LEVEL" $operator.logLevel) }}
{{- include "supaplane.variable" (list "SUPAPLANE_WORKERS" $operator.workers) }}
{{- include "supaplane.variable" (list "SUPAPLANE_APPLY_PARALLELISM" $operator.applyParallelism) }}
{{- include "supaplane.variable" (list "SUPAPLANE_ROLLOUT_CONCURRENCY" $operator.rolloutConcurrency) }}
{{- include "supaplane.variable" (list "SUPAPLANE_RESYNC_SECONDS" $operator.resyncSeconds) }}
{{- include "supaplane.variable" (list "SUPAPLANE_TEARDOWN_PATIENCE_SECONDS" $operator.teardownPatienceSeconds) }}
{{- with .Values.dns.hook }}
{{- if .url }}
- name: DOMAIN_DNS_HOOK_URL
  value: {{ .url | quote }}
- name: DOMAIN_DNS_HOOK_KEY
  valueFrom:
    secretKeyRef:
      name: {{ .keySecret.name }}
      key: {{ .keySecret.key }}
{{- end }}
{{- end }}
{{- include "supaplane.variable" (list "SERVICE_VERSION_URL" .Values.releases.url) }}
{{- include "supaplane.variable" (list "SUPAPLANE_DNS_TARGETS" (join "," .Values.dns.targets)) }}
{{- include "supaplane.variable" (list "SUPAPLANE_EXTERNAL_DNS_PREFIX" .Values.dns.externalDns.annotationPrefix) }}
{{- include "supaplane.variable" (list "SUPAPLANE_EXTERNAL_DNS_TTL" .Values.dns.externalDns.ttlSeconds) }}
{{- range $name, $seconds := $operator.deadlines }}
{{- include "supaplane.variable" (list (printf "SUPAPLANE_DEADLINE_%s" (snakecase $name | upper)) $seconds) }}
{{- end }}
{{- end }}
