{{- define "blueno.users" -}}
{{ .Values.users.namespace | default (printf "%s-users" .Release.Namespace) }}
{{- end }}

{{- define "blueno.labels" -}}
app.kubernetes.io/name: blueno
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- /* What tells the parts from each other: (list $ "hub") */}}
{{- define "blueno.part" -}}
app.kubernetes.io/name: blueno
app.kubernetes.io/instance: {{ (index . 0).Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{- define "blueno.container" -}}
securityContext:
  allowPrivilegeEscalation: false
  capabilities: {drop: [ALL]}
  runAsNonRoot: true
  runAsUser: 1000
  runAsGroup: 1000
  seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "blueno.databaseSecret" -}}
{{ .Values.postgresql.existingSecret | default (printf "%s-database" .Release.Name) }}
{{- end }}

{{- define "blueno.claim" -}}
{{ .Values.storage.existingClaim | default (printf "%s-volume" .Release.Name) }}
{{- end }}

{{- /* A secret, as hexadecimal digits, that stays what it was when the release is upgraded: (list $ secret key) */}}
{{- define "blueno.kept" -}}
{{- $root := index . 0 }}
{{- $known := (lookup "v1" "Secret" $root.Release.Namespace (index . 1)).data | default dict }}
{{- index $known (index . 2) | default (randAlphaNum 64 | sha256sum | b64enc) }}
{{- end }}

{{- define "blueno.pullSecrets" -}}
{{- with .Values.images.pullSecrets }}
imagePullSecrets:
{{- range . }}
  - name: {{ . }}
{{- end }}
{{- end }}
{{- end }}

{{- /* What notebooks and jobs should not reach, for those who look whether it is so. */}}
{{- define "blueno.closed" -}}
{{- $closed := list }}
{{- if .Values.networkPolicies.enabled }}
{{- $closed = append $closed (printf "%s-proxy-api.%s:8001" .Release.Name .Release.Namespace) }}
{{- if not .Values.postgresql.existingSecret }}
{{- $closed = append $closed (printf "%s-database.%s:5432" .Release.Name .Release.Namespace) }}
{{- end }}
{{- end }}
{{- if .Values.storage.server.enabled }}
{{- $closed = append $closed (printf "%s-storage.%s:2049" .Release.Name .Release.Namespace) }}
{{- end }}
{{- join "," $closed }}
{{- end }}

{{- define "blueno.serviceEnvironment" -}}
- name: BLUENO_DATABASE_URL
  valueFrom: {secretKeyRef: {name: {{ include "blueno.databaseSecret" . }}, key: service-url}}
- {name: BLUENO_JOBS_BACKEND, value: kubernetes}
- {name: BLUENO_JOBS_NAMESPACE, value: {{ include "blueno.users" . | quote }}}
- {name: BLUENO_JOBS_PODS, value: /etc/blueno/pods.json}
- {name: BLUENO_QUOTAS, value: /etc/blueno/quotas.json}
{{- end }}
