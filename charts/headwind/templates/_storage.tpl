{{/* Folders in which nothing may be mounted over what the image has, or that are too near to the root. */}}
{{- define "headwind.isTaken" -}}
{{- regexMatch "^/[^/]*$|^/(bin|boot|dev|lib|lib64|proc|sbin|sys|usr)(/|$)|^/etc/(ssl|pki|ca-certificates)(/|$)|^/(var/)?run(/|$)" . | ternary "yes" "" }}
{{- end }}

{{/*
What is mounted into the pod, as JSON: `volumes`, `mounts`, and `authorities`, the paths of certificates. Secrets are mounted as folders, so that
what changes in them arrives. A certificate whose folder holds something else is mounted as a single file, which is read at the start only.
*/}}
{{- define "headwind.storage" -}}
{{- $config := .Values.config | default dict }}
{{- $tls := $config.tls | default dict }}
{{- $custom := $tls.customCaCertificates | default dict }}
{{- $volumes := list (dict "name" "headwind-file" "configMap" (dict "name" (include "headwind.suffixed" (list . "file")))) }}
{{- $mounts := list (dict "name" "headwind-file" "mountPath" "/etc/headwind/config" "readOnly" true) }}
{{- $folders := dict "/etc/headwind/config" "config" }}
{{- range $index, $registry := $config.registries }}
{{- $secret := $registry.secret | default dict }}
{{- if eq (toString $secret.type) "ImagePullSecret" }}
{{- $folder := clean $secret.mountPath }}
{{- if and (hasKey $folders $folder) (ne (get $folders $folder) $secret.name) }}
{{- fail (printf "config.registries[%d].secret.mountPath: %s has the Secret %s already; each Secret needs a mountPath of its own" $index $folder (get $folders $folder)) }}
{{- end }}
{{- if not (hasKey $folders $folder) }}
{{- $volume := printf "registry-%s" (sha256sum $secret.name | trunc 10) }}
{{- $_ := set $folders $folder $secret.name }}
{{- $volumes = append $volumes (dict "name" $volume "secret" (dict "secretName" $secret.name)) }}
{{- $mounts = append $mounts (dict "name" $volume "mountPath" $folder "readOnly" true) }}
{{- end }}
{{- end }}
{{- end }}
{{- range .Values.extraVolumeMounts }}{{ $_ := set $folders (clean .mountPath) "extraVolumeMounts" }}{{ end }}
{{- $authorities := list }}{{ $sources := dict }}
{{- if eq (toString $custom.enabled) "true" }}
{{- range $custom.secrets }}{{ if not (include "headwind.isTaken" (dir (clean .mountPath))) }}{{ $_ := set $sources (dir (clean .mountPath)) list }}{{ end }}{{ end }}
{{- range $index, $secret := $custom.secrets }}
{{- $file := clean $secret.mountPath }}{{ $folder := dir $file }}
{{- if has $file $authorities }}
{{- fail (printf "config.tls.customCaCertificates.secrets[%d].mountPath: %s is there twice" $index $file) }}
{{- end }}
{{- $authorities = append $authorities $file }}
{{- $isShared := not (hasKey $sources $folder) }}
{{- range $other := uniq (concat (keys $folders) (without (keys $sources) $folder)) }}
{{- if or (eq $other $folder) (hasPrefix (printf "%s/" $folder) $other) (hasPrefix (printf "%s/" $other) $folder) }}{{ $isShared = true }}{{ end }}
{{- end }}
{{- if $isShared }}
{{- $volume := printf "ca-file-%s" (sha256sum $secret.name | trunc 10) }}
{{- $volumes = append $volumes (dict "name" $volume "secret" (dict "secretName" $secret.name)) }}
{{- $mounts = append $mounts (dict "name" $volume "mountPath" $file "subPath" $secret.subPath "readOnly" true) }}
{{- else }}
{{- $item := dict "key" $secret.subPath "path" (base $file) }}
{{- $_ := set $sources $folder (append (get $sources $folder) (dict "secret" (dict "name" $secret.name "items" (list $item)))) }}
{{- end }}
{{- end }}
{{- range $folder := keys $sources | sortAlpha }}
{{- if get $sources $folder }}
{{- $volume := printf "ca-%s" (sha256sum $folder | trunc 10) }}
{{- $volumes = append $volumes (dict "name" $volume "projected" (dict "sources" (get $sources $folder))) }}
{{- $mounts = append $mounts (dict "name" $volume "mountPath" $folder "readOnly" true) }}
{{- end }}
{{- end }}
{{- end }}
{{- dict "volumes" (uniq $volumes) "mounts" $mounts "authorities" (concat ($tls.caCertificatePaths | default list) $authorities) | toJson }}
{{- end }}
