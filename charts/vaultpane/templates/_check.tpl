{{/* Checks what values.schema.json cannot check with a readable message, before the API server or an agent would report it. */}}
{{- define "vaultpane.check" -}}
{{- include "vaultpane.check.top" . -}}
{{- include "vaultpane.check.values" . -}}
{{- include "vaultpane.check.names" . -}}
{{- include "vaultpane.check.labels" . -}}
{{- include "vaultpane.check.resources" . -}}
{{- include "vaultpane.check.pods" . -}}
{{- include "vaultpane.check.azure" . -}}
{{- include "vaultpane.check.together" . -}}
{{- include "vaultpane.check.selectors" . -}}
{{- include "vaultpane.check.monitoring" . -}}
{{- end -}}

{{/* Checks the top level for values that belong elsewhere. */}}
{{- define "vaultpane.check.top" -}}
{{- $values := .Values -}}
{{- range list "observedCertificates" "properties" "settings" "publicSettings" "PublicSettings" -}}
{{- if hasKey $values . -}}
{{- fail (printf "%s is at the top level of the values; move it into secretsManagementSettings, with the rest of the extension's settings" .) -}}
{{- end -}}
{{- end -}}
{{- if hasKey $values "vaultpane" -}}
{{- fail "vaultpane is at the top level of the values, as in the values of a parent chart; move its contents to the top level" -}}
{{- end -}}
{{- $known := .Files.Get "files/keys.yaml" | fromYaml -}}
{{- include "vaultpane.unknown" (dict "field" "values" "map" (omit $values "enabled") "what" "a value of this chart" "keys" (keys (omit $known "enabled") | sortAlpha)) -}}
{{- if hasKey ($values.certificateDefaults | default dict) "url" -}}
{{- fail "certificateDefaults.url is not allowed: each certificate has its own URL" -}}
{{- end -}}
{{- if hasKey ($values.certificateDefaults | default dict) "configMap" -}}
{{- fail "certificateDefaults.configMap is not allowed: each certificate has its own ConfigMap or URL" -}}
{{- end -}}
{{- range $key, $value := $values -}}
{{- $what := hasPrefix "certificate" $key | ternary "a field of an ObservedCertificate's spec" "a value of this chart" -}}
{{- include "vaultpane.keys" (dict "field" $key "value" $value "keys" (get $known $key | default dict) "what" $what) -}}
{{- end -}}
{{- end -}}

{{- define "vaultpane.check.values" -}}
{{- $guid := "^([0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12})?$" -}}
{{- $time := "^(0|([0-9]+([.][0-9]+)?(ms|s|m|h))+)$" -}}
{{- $interval := "^([0-9]+y)?([0-9]+w)?([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$" -}}
{{- $digest := "^(sha256:[0-9a-f]{64})?$" -}}
{{- $tag := "^([A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?$" -}}
{{- $repository := "^[a-z0-9.-]+(:[0-9]+)?(/[a-z0-9]+(([._]|__|-+)[a-z0-9]+)*)*$" -}}
{{- $host := "[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?([.][A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*" -}}
{{- $port := "[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]" -}}
{{- $octet := "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])" -}}
{{- $ipv4 := printf "%s([.]%s){3}" $octet $octet -}}
{{- $ipv6 := "[0-9a-fA-F]*:[0-9a-fA-F:.]*:[0-9a-fA-F:.]*" -}}
{{- $value := "[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?" -}}
{{- $key := printf "([a-z0-9.-]+/)?%s" $value -}}
{{- $term := printf "(!? *%s|%s *(=|==|!=|<|>) *(%s)?|%s +(in|notin) *[(] *%s( *, *%s)* *[)])" $key $key $value $key $value $value -}}
{{- $agent := .Values.agent -}}
{{- $controller := .Values.controller -}}
{{- $monitoring := .Values.monitoring -}}
{{- range list
  (list "azure.clientId" .Values.azure.clientId $guid "a client id, which is a GUID: 'az identity show --query clientId' prints it")
  (list "azure.tenantId" .Values.azure.tenantId $guid "a tenant id, which is a GUID: 'az account show --query tenantId' prints it")
  (list "controller.azure.clientId" $controller.azure.clientId $guid "a client id, which is a GUID: 'az identity show --query clientId' prints it")
  (list "controller.azure.tenantId" $controller.azure.tenantId $guid "a tenant id, which is a GUID: 'az account show --query tenantId' prints it")
  (list "controller.versionWatch.interval" $controller.versionWatch.interval $time "a duration with its unit, such as 30s, 1m or 1h")
  (list "controller.versionWatch.eventGrid.endpoint" $controller.versionWatch.eventGrid.endpoint "^(https://[^/?#@ ]+/?)?$" "the URL of an Event Grid namespace without a path, such as https://mynamespace.westeurope-1.eventgrid.azure.net")
  (list "controller.versionWatch.eventGrid.topic" $controller.versionWatch.eventGrid.topic "^([A-Za-z0-9][A-Za-z0-9-]{1,48}[A-Za-z0-9])?$" "the name of a namespace topic: 3 to 50 letters, digits and '-'")
  (list "controller.versionWatch.eventGrid.subscription" $controller.versionWatch.eventGrid.subscription "^([A-Za-z0-9][A-Za-z0-9-]{1,48}[A-Za-z0-9])?$" "the name of an event subscription: 3 to 50 letters, digits and '-'")
  (list "azure.authorityHost" .Values.azure.authorityHost "^(https://[^/?#@ ]+/*)?$" "the URL of a token authority without a tenant, such as https://login.microsoftonline.us/")
  (list "agent.initialSpread" $agent.initialSpread $time "a duration with its unit, such as 10s, 15m or 1h")
  (list "agent.storeCheckInterval" $agent.storeCheckInterval $time "a duration with its unit, such as 30s or 1m")
  (list "controller.expiringSoon" $controller.expiringSoon $time "a duration in hours, minutes or seconds, such as 168h for a week")
  (list "monitoring.serviceMonitor.interval" $monitoring.serviceMonitor.interval $interval "a duration in whole units, the longest first, such as 30s or 1m30s")
  (list "monitoring.podMonitor.interval" $monitoring.podMonitor.interval $interval "a duration in whole units, the longest first, such as 60s or 1m30s")
  (list "global.imageRegistry" ((.Values.global).imageRegistry) "^([A-Za-z0-9.-]+(:[0-9]+)?(/[a-z0-9._-]+)*/?)?$" "a registry, optionally with a path, without https://, such as registry.example:5000/mirror")
  (list "agent.image.repository" $agent.image.repository $repository "a registry and a name without a tag, such as ghcr.io/vaultpane/vaultpane-agent; the tag is agent.image.tag")
  (list "controller.image.repository" $controller.image.repository $repository "a registry and a name without a tag, such as ghcr.io/vaultpane/vaultpane-controller; the tag is controller.image.tag")
  (list "agent.image.tag" $agent.image.tag $tag "a tag of letters, digits, '_', '.' and '-'; put a digest into agent.image.digest")
  (list "controller.image.tag" $controller.image.tag $tag "a tag of letters, digits, '_', '.' and '-'; put a digest into controller.image.digest")
  (list "agent.image.digest" $agent.image.digest $digest "sha256: and 64 hexadecimal digits")
  (list "controller.image.digest" $controller.image.digest $digest "sha256: and 64 hexadecimal digits")
  (list "agent.apiServer.host" $agent.apiServer.host (printf "^(%s|%s)?$" $host $ipv6) "a host name or an address without https:// or a port; the port is agent.apiServer.port")
  (list "agent.metrics.address" $agent.metrics.address (printf "^(%s|localhost|%s)?$" $ipv4 $ipv6) "an IP address of the node, such as 127.0.0.1, or 0.0.0.0 for all, without a port; the port is agent.metrics.port")
  (list "agent.maxUnavailable" $agent.maxUnavailable "^([1-9][0-9]*|([1-9][0-9]?|100)%)$" "a number of nodes from 1, or a percentage such as 10%; with 0, no upgrade could proceed")
  (list "agent.linux.storePath" $agent.linux.storePath "^(/([^/.:]|[.]+[^/.:])[^/:]*)+/?$" "an absolute path, such as /var/lib/vaultpane/store, without ':' or '..'")
  (list "controller.agentNodeSelector" $controller.agentNodeSelector (printf "^( *%s *(, *%s *)*)?$" $term $term) "a label selector, such as kubernetes.io/os=windows,pool in (a,b)")
}}
{{- include "vaultpane.check.one" . -}}
{{- end -}}
{{- range $index, $service := $agent.allowedServices -}}
{{- include "vaultpane.check.one" (list (printf "agent.allowedServices[%d]" $index) $service "^[^/\\\\,\"[:cntrl:] ]([^/\\\\,\"[:cntrl:]]*[^/\\\\,\"[:cntrl:] ])?$" "the name of a Windows service, such as w3svc, not its display name") -}}
{{- end -}}
{{- range $index, $allowed := $agent.allowedVaultHosts -}}
{{- include "vaultpane.check.one" (list (printf "agent.allowedVaultHosts[%d]" $index) $allowed (printf "^([.]%s|%s(:(%s))?)$" $host $host $port) "a host, host:port or .suffix without https:// or a path, such as .vault.my.cloud") -}}
{{- if and (regexMatch "^[.]?[^.:]+$" $allowed) (ne (lower $allowed) "localhost") -}}
{{- fail (printf "agent.allowedVaultHosts[%d] is %q, %s; write the full name, such as vault.my.cloud, or .vault.my.cloud for all vaults below it" $index $allowed (hasPrefix "." $allowed | ternary "which would let every host of that top-level domain receive tokens" "which a node cannot resolve")) -}}
{{- end -}}
{{- end -}}
{{- if kindIs "slice" $agent.disableChallengeResourceVerification -}}
{{- range $index, $exempt := $agent.disableChallengeResourceVerification -}}
{{- $field := printf "agent.disableChallengeResourceVerification[%d]" $index -}}
{{- if has (lower $exempt) (list "true" "false") -}}
{{- fail (printf "%s is %q, but a list holds hosts; write agent.disableChallengeResourceVerification: %s" $field $exempt (lower $exempt)) -}}
{{- end -}}
{{- include "vaultpane.check.one" (list $field $exempt (printf "^([.]%s|%s(:(%s))?)(=https://%s(:(%s))?(/[0-9A-Za-z_-]+)*/?)?$" $host $host $port $host $port) "a host, host:port or .suffix without https:// or a path, optionally with a resource, such as .vault.my.cloud=https://resource.of.my.cloud") -}}
{{- end -}}
{{- end -}}
{{- range $field, $interval := dict "serviceMonitor" $monitoring.serviceMonitor.interval "podMonitor" $monitoring.podMonitor.interval -}}
{{- if regexMatch "^(0+[a-z]+)+$" $interval -}}
{{- fail (printf "monitoring.%s.interval is %q, must be more than 0, such as 30s; leave it empty for Prometheus' default" $field $interval) -}}
{{- end -}}
{{- end -}}
{{- range $index, $peer := $controller.networkPolicy.metricsFrom -}}
{{- if .ipBlock -}}
{{- include "vaultpane.check.one" (list (printf "controller.networkPolicy.metricsFrom[%d].ipBlock.cidr" $index) .ipBlock.cidr (printf "^(%s/(3[0-2]|[12]?[0-9])|%s/[0-9]{1,3})$" $ipv4 $ipv6) "a network in CIDR notation, such as 10.0.0.0/8") -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Names of objects, which must be DNS names. */}}
{{- define "vaultpane.check.names" -}}
{{- $label := "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?" -}}
{{- $name := printf "%s([.]%s)*" $label $label -}}
{{- $words := "lower-case letters, digits, '-' and '.', beginning and ending with a letter or digit" -}}
{{- range list
  (list "agent.serviceAccount.name" .Values.agent.serviceAccount.name (printf "^%s$" $name) "the name of a service account")
  (list "controller.serviceAccount.name" .Values.controller.serviceAccount.name (printf "^%s$" $name) "the name of a service account")
  (list "azure.existingSecret" .Values.azure.existingSecret (printf "^(%s)?$" $name) "the name of a Secret")
  (list "controller.azure.existingSecret" .Values.controller.azure.existingSecret (printf "^(%s)?$" $name) "the name of a Secret")
  (list "azure.caBundle.configMap" .Values.azure.caBundle.configMap (printf "^(%s)?$" $name) "the name of a ConfigMap that holds the certificates")
  (list "agent.priorityClassName" .Values.agent.priorityClassName (printf "^(%s)?$" $name) "the name of a PriorityClass")
  (list "controller.priorityClassName" .Values.controller.priorityClassName (printf "^(%s)?$" $name) "the name of a PriorityClass")
  (list "namespaceOverride" .Values.namespaceOverride (printf "^(%s)?$" $label) "the name of a namespace")
  (list "monitoring.namespace" .Values.monitoring.namespace (printf "^(%s)?$" $label) "the name of a namespace")
}}
{{- include "vaultpane.check.one" (list (index . 0) (index . 1) (index . 2) (printf "%s: %s" (index . 3) $words)) -}}
{{- end -}}
{{- include "vaultpane.check.one" (list "azure.caBundle.key" .Values.azure.caBundle.key "^[.]?[A-Za-z0-9_-][A-Za-z0-9_.-]*$" "a key of the ConfigMap, such as ca.crt: letters, digits, '.', '_' and '-'") -}}
{{- range $index, $secret := .Values.imagePullSecrets -}}
{{- include "vaultpane.check.one" (list (printf "imagePullSecrets[%d].name" $index) $secret.name (printf "^%s$" $name) (printf "the name of a Secret: %s" $words)) -}}
{{- end -}}
{{- end -}}

{{/* Call with (list NAME VALUE PATTERN WORDS). */}}
{{- define "vaultpane.check.one" -}}
{{- $text := index . 1 | kindIs "invalid" | ternary "" (index . 1 | toString) -}}
{{- if not (regexMatch (index . 2) $text) -}}
{{- fail (printf "%s is %q, must be %s" (index . 0) $text (index . 3)) -}}
{{- end -}}
{{- end -}}
