{{- define "writ.labels" -}}
app.kubernetes.io/name: writ
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: writ
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* An image by its short name: dict "root" $ "name" "plan" */}}
{{- define "writ.image" -}}
{{- $image := .root.Values.image -}}
{{- $digest := get $image.digests .name -}}
{{- $base := printf "%s/writ-%s" $image.repository .name -}}
{{- if $digest }}{{ $base }}@{{ $digest }}{{ else }}{{ $base }}:{{ $image.tag | default .root.Chart.AppVersion }}{{ end -}}
{{- end }}

{{- define "writ.podSecurity" -}}
{runAsNonRoot: true, runAsUser: 10001, runAsGroup: 10001, fsGroup: 10001, seccompProfile: {type: RuntimeDefault}}
{{- end }}

{{- define "writ.containerSecurity" -}}
{allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
{{- end }}

{{/* This installation's settings, as the stages read them. */}}
{{- define "writ.platform" -}}
{{- $s3 := dict "region" .Values.store.region "addressing_style" .Values.store.addressingStyle -}}
{{- with .Values.store.endpointUrl }}{{ $_ := set $s3 "endpoint_url" . }}{{ end -}}
{{- mergeOverwrite (dict "s3" $s3 "metrics_port" 9464) (deepCopy .Values.platform.settings) | toYaml -}}
{{- end }}
