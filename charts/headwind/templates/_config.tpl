{{/* `config` and what belongs to it. A value that the user took away with null is one that is not set. */}}

{{- define "headwind.webserverPort" -}}
{{- $webserver := (.Values.config | default dict).webserver | default dict }}
{{- int ($webserver.port | default 8080) }}
{{- end }}

{{/* Three ports of the pod by name, as JSON. The API makes room for the health routes, which kube-autorollout has on any port. */}}
{{- define "headwind.ports" -}}
{{- $ports := .Values.ports | default dict }}
{{- $wanted := int (include "headwind.webserverPort" .) }}
{{- $webhook := int ($ports.webhook | default 8080) }}
{{- $metrics := int ($ports.metrics | default 9090) }}
{{- $api := int ($ports.api | default 8081) }}
{{- if and (eq $api $wanted) (ne $webhook $wanted) (ne $metrics $wanted) }}
{{- $api = add 1 (max $api $webhook $metrics 8082) }}
{{- end }}
{{- if ne 3 (len (uniq (list $webhook (int $api) $metrics))) }}
{{- fail (printf "ports: webhook %d, api %d and metrics %d must be three ports" $webhook $api $metrics) }}
{{- end }}
{{- dict "webhook" $webhook "api" (int $api) "metrics" $metrics | toJson }}
{{- end }}

{{/* The port under which the health routes of kube-autorollout are reached: of another server when that has it. */}}
{{- define "headwind.healthPortName" -}}
{{- $wanted := int (include "headwind.webserverPort" .) }}
{{- $name := "http" }}
{{- range $key, $port := include "headwind.ports" . | fromJson }}
{{- if eq (int $port) $wanted }}{{ $name = $key }}{{ end }}
{{- end }}
{{- $name }}
{{- end }}

{{/* Name of the variable that holds what a Secret has under a key: made of both, so that no two share one. */}}
{{- define "headwind.variable" -}}
{{- $text := printf "%s/%s" .name .key }}
{{- printf "REGISTRY_%s_%s" (regexReplaceAll "[^A-Z0-9]+" (upper $text) "_" | trunc 60 | trimSuffix "_") (sha256sum $text | trunc 10 | upper) }}
{{- end }}

{{/* Of the credential of a registry: dict "secret" … "index" … */}}
{{- define "headwind.secretType" -}}
{{- if .secret.type }}
{{- .secret.type }}
{{- else if or .secret.token (and .secret.name .secret.key) }}
{{- "Opaque" }}
{{- else }}
{{- fail (printf "config.registries[%d].secret.type is missing: write None, ImagePullSecret (with name and mountPath) or Opaque (with name and key, or token)" .index) }}
{{- end }}
{{- end }}

{{/*
The registries with what the chart makes of their credentials, as JSON: `entries` for the file, `env` for the pod, `tokens` for a Secret.
A token that is written out is not put into the ConfigMap, unless it names a variable.
*/}}
{{- define "headwind.registries" -}}
{{- $entries := list }}{{ $env := list }}{{ $tokens := dict }}
{{- range $index, $registry := (.Values.config | default dict).registries }}
{{- $given := $registry.secret | default dict }}
{{- $type := include "headwind.secretType" (dict "secret" $given "index" $index) }}
{{- $secret := dict "type" $type }}
{{- if eq $type "ImagePullSecret" }}
{{- $_ := set $secret "mountPath" $given.mountPath }}
{{- else if eq $type "Opaque" }}
{{- if $given.username }}{{ $_ := set $secret "username" $given.username }}{{ end }}
{{- if and $given.token (regexMatch "\\$\\{[^}]+\\}" $given.token) }}
{{- $_ := set $secret "token" $given.token }}
{{- else if $given.token }}
{{- $variable := printf "REGISTRY_TOKEN_%d" $index }}
{{- $_ := set $tokens (printf "registry-%d" $index) $given.token }}
{{- $reference := dict "name" (include "headwind.suffixed" (list $ "registries")) "key" (printf "registry-%d" $index) }}
{{- $env = append $env (dict "name" $variable "valueFrom" (dict "secretKeyRef" $reference)) }}
{{- $_ := set $secret "token" (printf "${%s}" $variable) }}
{{- else }}
{{- $variable := include "headwind.variable" $given }}
{{- $reference := dict "name" $given.name "key" $given.key }}
{{- $env = append $env (dict "name" $variable "valueFrom" (dict "secretKeyRef" $reference)) }}
{{- $_ := set $secret "token" (printf "${%s}" $variable) }}
{{- end }}
{{- end }}
{{- $entry := dict "secret" $secret }}
{{- range $key, $value := omit $registry "secret" }}
{{- if not (kindIs "invalid" $value) }}{{ $_ := set $entry $key $value }}{{ end }}
{{- end }}
{{- $entries = append $entries $entry }}
{{- end }}
{{- dict "entries" $entries "env" (uniq $env) "tokens" $tokens | toJson }}
{{- end }}

{{/* The configuration file. */}}
{{- define "headwind.config" -}}
{{- $config := .Values.config | default dict }}
{{- $file := dict "webserver" (dict "port" (int (include "headwind.webserverPort" .))) }}
{{- range $key, $value := omit $config "logLevel" "registries" "tls" "webserver" }}
{{- if not (or (kindIs "invalid" $value) (and (kindIs "string" $value) (empty $value))) }}{{ $_ := set $file $key $value }}{{ end }}
{{- end }}
{{- if and $file.interval (eq (toString $file.cronSchedule) "*/45 * * * * *") }}
{{- $file = omit $file "cronSchedule" }}
{{- end }}
{{- $_ := set $file "registries" (include "headwind.registries" . | fromJson).entries }}
{{- $_ := set $file "tls" (dict "caCertificatePaths" ((include "headwind.storage" . | fromJson).authorities | default list)) }}
{{- toYaml $file }}
{{- end }}
