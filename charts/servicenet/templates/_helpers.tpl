{{- define "servicenet.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{- /* What all objects of the cleanup have in their metadata. */}}
{{- define "servicenet.cleanup" -}}
name: servicenet-cleanup
labels:
  app.kubernetes.io/name: servicenet
  app.kubernetes.io/managed-by: {{ .Release.Service }}
annotations:
  helm.sh/hook: pre-delete
  helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end }}
