{{/* Rules that the NetworkPolicies of operator and API share. */}}

{{/* One rule: port http, from these namespaces, or from everywhere when there are none. */}}
{{- define "supaplane.ingressFrom" -}}
- ports:
    - port: http
      protocol: TCP
  {{- with . }}
  from:
    {{- range . }}
    - namespaceSelector:
        matchLabels:
          kubernetes.io/metadata.name: {{ . }}
    {{- end }}
  {{- end }}
{{- end }}

{{/* DNS and the API server. */}}
{{- define "supaplane.egressBase" -}}
- ports:
    - port: 53
      protocol: UDP
    - port: 53
      protocol: TCP
- to:
    {{- range .Values.networkPolicy.apiServerCidrs }}
    - ipBlock:
        cidr: {{ . }}
    {{- end }}
  ports:
    {{- range .Values.networkPolicy.apiServerPorts }}
    - port: {{ . }}
      protocol: TCP
    {{- end }}
{{- end }}
