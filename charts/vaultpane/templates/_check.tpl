{{/* Says in words what a pattern of values.schema.json could only show. */}}
{{- define "vaultpane.check" -}}
{{- $guid := "^([0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12})?$" -}}
{{- $time := "^([0-9]+([.][0-9]+)?(ms|s|m|h))+$" -}}
{{- $digest := "^(sha256:[0-9a-f]{64})?$" -}}
{{- $repository := "^[a-z0-9.-]+(:[0-9]+)?(/[a-z0-9]+(([._]|__|-+)[a-z0-9]+)*)*$" -}}
{{- $agent := .Values.agent -}}
{{- $controller := .Values.controller -}}
{{- range list
  (list "azure.clientId" .Values.azure.clientId $guid "a client id, which is a GUID: 'az identity show --query clientId' prints it")
  (list "azure.tenantId" .Values.azure.tenantId $guid "a tenant id, which is a GUID: 'az account show --query tenantId' prints it")
  (list "azure.authorityHost" .Values.azure.authorityHost "^(https://.+)?$" "the URL of a token authority, such as https://login.microsoftonline.us/")
  (list "agent.initialSpread" $agent.initialSpread $time "a time with its unit, such as 10s, 15m or 1h30m")
  (list "agent.storeCheckInterval" $agent.storeCheckInterval $time "a time with its unit, such as 30s or 1m")
  (list "controller.expiringSoon" $controller.expiringSoon $time "a time in hours, minutes or seconds, such as 168h for a week")
  (list "global.imageRegistry" ((.Values.global).imageRegistry | default "") "^([A-Za-z0-9.-]+(:[0-9]+)?(/[a-z0-9._-]+)*/?)?$" "a registry, or a folder of one, without https://, such as registry.example:5000/mirror")
  (list "agent.image.repository" $agent.image.repository $repository "a registry and a name without a tag, such as ghcr.io/vaultpane/vaultpane-agent; the tag is agent.image.tag")
  (list "controller.image.repository" $controller.image.repository $repository "a registry and a name without a tag, such as ghcr.io/vaultpane/vaultpane-controller; the tag is controller.image.tag")
  (list "agent.image.digest" $agent.image.digest $digest "sha256: and 64 hexadecimal digits")
  (list "controller.image.digest" $controller.image.digest $digest "sha256: and 64 hexadecimal digits")
  (list "agent.apiServer.host" $agent.apiServer.host "^[^/ ]*$" "a host name or an address without https:// and port; the port is agent.apiServer.port")
  (list "agent.maxUnavailable" $agent.maxUnavailable "^([1-9][0-9]*|([1-9][0-9]?|100)%)$" "a number of nodes from 1, or a share such as 10%; with none no upgrade would go on")
  (list "agent.linux.storePath" $agent.linux.storePath "^/[^/].*$" "a folder, such as /var/lib/vaultpane/store")
}}
{{- include "vaultpane.check.one" . -}}
{{- end -}}
{{- range $index, $host := $agent.allowedVaultHosts -}}
{{- include "vaultpane.check.one" (list (printf "agent.allowedVaultHosts[%d]" $index) $host "^[.]?[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]+)?$" "a host, host:port or .suffix without https:// and path, such as .vault.my.cloud") -}}
{{- end -}}
{{- range $name, $resources := dict "agent.resources" $agent.resources "agent.linux.resources" $agent.linux.resources "controller.resources" $controller.resources -}}
{{- range $kind, $amounts := pick $resources "requests" "limits" -}}
{{- range $resource, $amount := $amounts -}}
{{- include "vaultpane.check.one" (list (printf "%s.%s.%s" $name $kind $resource) $amount "^[0-9]+([.][0-9]+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$" "an amount as in 100m of cpu or 256Mi of memory") -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Call with (list NAME VALUE PATTERN WORDS). */}}
{{- define "vaultpane.check.one" -}}
{{- if not (regexMatch (index . 2) (toString (index . 1))) -}}
{{- fail (printf "%s is %q, must be %s" (index . 0) (toString (index . 1)) (index . 3)) -}}
{{- end -}}
{{- end -}}
