{{- define "headwind.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "headwind.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- $name := default .Chart.Name .Values.nameOverride }}
{{- if contains $name .Release.Name }}
{{- .Release.Name | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" }}
{{- end }}
{{- end }}
{{- end }}

{{/* The full name with a suffix that is never cut off: list . "suffix" */}}
{{- define "headwind.suffixed" -}}
{{- $suffix := last . -}}
{{- printf "%s-%s" (include "headwind.fullname" (first .) | trunc (int (sub 62 (len $suffix))) | trimSuffix "-") $suffix }}
{{- end }}

{{- define "headwind.selectorLabels" -}}
app.kubernetes.io/name: {{ include "headwind.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "headwind.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "headwind.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: headwind
{{- end }}

{{- define "headwind.serviceAccountName" -}}
{{- if (.Values.serviceAccount).create }}
{{- default (include "headwind.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" (.Values.serviceAccount).name }}
{{- end }}
{{- end }}

{{/* A value as a person would write it: numbers come as floating point. */}}
{{- define "headwind.text" -}}
{{- if and (kindIs "float64" .) (eq . (floor .)) }}{{ int64 . }}{{ else }}{{ . }}{{ end }}
{{- end }}

{{- define "headwind.image" -}}
{{- $image := .Values.image | default dict }}
{{- $repository := $image.repository | default "headwind" }}
{{- if hasSuffix "/kube-autorollout" (printf "/%s" $repository) }}
{{- fail (printf "image.repository: %q is the image of kube-autorollout, which does not run this chart; write the image of Headwind there, and remove image.tag or write a tag of it" $repository) }}
{{- end }}
{{- $tag := include "headwind.text" ($image.tag | default "") | default .Chart.AppVersion }}
{{- if $image.digest }}
{{- printf "%s%s@%s" $repository (ternary (printf ":%s" $tag) "" (not (empty $image.tag))) $image.digest }}
{{- else }}
{{- printf "%s:%s" $repository $tag }}
{{- end }}
{{- end }}
