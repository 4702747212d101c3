{{- define "headwind.watched" -}}
{{- $watch := .Values.watch | default dict }}
{{- $own := ternary (list .Release.Namespace) list (eq (toString $watch.ownNamespace) "true") }}
{{- concat $own ($watch.namespaces | default list) | uniq | toJson }}
{{- end }}

{{- define "headwind.makesRights" -}}
{{- $rbac := .Values.rbac | default dict }}
{{- ternary "yes" "" (and (ne (toString $rbac.create) "false") (ne (toString $rbac.enabled) "false")) }}
{{- end }}

{{/* What the rights that this chart makes leave out: the operator does not even ask for it. */}}
{{- define "headwind.withheld" -}}
{{- $rbac := .Values.rbac | default dict }}
{{- $names := list }}
{{- if eq (toString ($rbac.secrets | default dict).enabled) "false" }}{{ $names = append $names "secrets" }}{{ end }}
{{- if eq (toString $rbac.cronJobs) "false" }}{{ $names = append $names "cronjobs.batch" }}{{ end }}
{{- if and (include "headwind.makesRights" .) (include "headwind.watched" . | fromJsonArray) }}{{ $names = append $names "nodes" }}{{ end }}
{{- join "," $names }}
{{- end }}

{{/* Half of the memory limit in MB; empty when there is no limit that can be read. */}}
{{- define "headwind.heap" -}}
{{- $limits := (.Values.resources | default dict).limits | default dict }}
{{- $limit := include "headwind.text" ($limits.memory | default "") }}
{{- if regexMatch "^[0-9]+(Mi|M)$" $limit }}
{{- div (regexFind "^[0-9]+" $limit | int64) 2 }}
{{- else if regexMatch "^[0-9]+(Gi|G)$" $limit }}
{{- mul (regexFind "^[0-9]+" $limit | int64) 512 }}
{{- end }}
{{- end }}

{{/* Every variable once; extraEnv wins, and what is not set is not there. */}}
{{- define "headwind.env" -}}
{{- $env := .Values.env | default dict }}
{{- $config := .Values.config | default dict }}
{{- $ports := include "headwind.ports" . | fromJson }}
{{- $field := dict "HEADWIND_NAMESPACE" "metadata.namespace" "POD_NAME" "metadata.name" "POD_IP" "status.podIP" }}
{{- $plain := dict
  "CONFIG_FILE" "/etc/headwind/config/config.yaml"
  "HEADWIND_CONFIGMAP_NAME" (include "headwind.suffixed" (list . "config"))
  "HEADWIND_WATCH_NAMESPACES" (include "headwind.watched" . | fromJsonArray | join ",")
  "HEADWIND_WITHHELD_RIGHTS" (include "headwind.withheld" .)
  "RUST_LOG" ($config.logLevel | default "")
  "HEADWIND_MAX_HEAP_MB" (include "headwind.heap" .) }}
{{- range $name, $usual := dict "webhook" 8080 "api" 8081 "metrics" 9090 }}
{{- if ne (int (get $ports $name)) $usual }}{{ $_ := set $plain (printf "HEADWIND_%s_PORT" (upper $name)) (get $ports $name) }}{{ end }}
{{- end }}
{{- range $name, $value := $env }}
{{- if ne (toString ($value | default "")) "" }}{{ $_ := set $plain $name $value }}{{ end }}
{{- if and (kindIs "bool" $value) (not $value) }}{{ $_ := set $plain $name "false" }}{{ end }}
{{- end }}
{{- $taken := dict }}
{{- range $index, $variable := .Values.extraEnv }}
{{- if hasKey $taken $variable.name }}{{ fail (printf "extraEnv[%d].name: %s is there twice" $index $variable.name) }}{{ end }}
{{- $_ := set $taken $variable.name true }}
{{- end }}
{{- $list := list }}
{{- range $name := keys $field | sortAlpha }}
{{- $list = append $list (dict "name" $name "valueFrom" (dict "fieldRef" (dict "fieldPath" (get $field $name)))) }}
{{- end }}
{{- range $name := keys $plain | sortAlpha }}
{{- $value := include "headwind.text" (get $plain $name) }}
{{- if ne $value "" }}{{ $list = append $list (dict "name" $name "value" $value) }}{{ end }}
{{- end }}
{{- $result := list }}
{{- range concat $list (include "headwind.registries" . | fromJson).env }}
{{- if not (hasKey $taken .name) }}{{ $result = append $result . }}{{ end }}
{{- end }}
{{- concat $result (.Values.extraEnv | default list) | toYaml }}
{{- end }}

{{/* A probe: one handler only, and the port `http` of kube-autorollout is the one that has its routes. list . probe */}}
{{- define "headwind.probe" -}}
{{- $probe := deepCopy (last .) }}
{{- if or $probe.exec $probe.tcpSocket $probe.grpc }}{{ $probe = omit $probe "httpGet" }}{{ end }}
{{- range list "httpGet" "tcpSocket" }}
{{- $handler := get $probe . }}
{{- if and $handler (eq (toString $handler.port) "http") }}{{ $_ := set $handler "port" (include "headwind.healthPortName" (first $)) }}{{ end }}
{{- end }}
{{- toYaml $probe }}
{{- end }}
