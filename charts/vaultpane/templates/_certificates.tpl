{{/* Checks all ObservedCertificates, and writes them as a map from name to spec. */}}
{{- define "vaultpane.certificates" -}}
{{- $rules := .Files.Get "files/rules.yaml" | fromYaml -}}
{{- $defaults := .Values.certificateDefaults | default dict -}}
{{- include "vaultpane.rules" (dict "field" "certificateDefaults" "value" $defaults "rules" $rules) -}}
{{- $certificates := include "vaultpane.settings" . | fromYaml -}}
{{- range $name, $spec := .Values.certificates -}}
{{- if not (kindIs "invalid" $spec) -}}{{/* null removes a certificate of another values file */}}
{{- $field := printf "certificates.%s" $name -}}
{{- if not (regexMatch "^[a-z0-9]([a-z0-9-]*[a-z0-9])?([.][a-z0-9]([a-z0-9-]*[a-z0-9])?)*$" (trunc 254 $name)) -}}
{{- fail (printf "%s is not a valid name for an ObservedCertificate: use lower-case letters, digits, '-' and '.', beginning and ending with a letter or digit, as in my-web" $field) -}}
{{- else if gt (len $name) 253 -}}
{{- fail (printf "%s has a name of %d characters, must have at most 253" $field (len $name)) -}}
{{- else if hasKey $certificates $name -}}
{{- fail (printf "%s has the name that secretsManagementSettings gives to %s; choose another name" $field (get $certificates $name).url) -}}
{{- end -}}
{{- include "vaultpane.rules" (dict "field" $field "value" $spec "rules" $rules) -}}
{{- include "vaultpane.check.source" (dict "field" $field "spec" $spec "root" $) -}}
{{- $_ := set $certificates $name $spec -}}
{{- end -}}
{{- end -}}
{{- range $name, $spec := $certificates -}}
{{- $trust := has ($spec.certificateStoreName | default $defaults.certificateStoreName | default "MY" | toString | lower) (list "root" "ca" "trustedpeople" "trustedpublisher") -}}
{{- $applicable := $trust | ternary (omit $defaults "keyExportable" "accounts" "linkOnRenewal" "keyStorageProvider" "usedBy") $defaults -}}
{{- if $spec.configMap }}{{ $applicable = omit $applicable "authentication" "rollout" "versionWatchIntervalInS" }}{{ end -}}
{{- range $field, $value := $applicable -}}
{{- if not (hasKey $spec $field) }}{{ $_ := set $spec $field $value }}{{ end -}}
{{- end -}}
{{- range $field, $value := $spec }}{{ if kindIs "invalid" $value }}{{ $_ := unset $spec $field }}{{ end }}{{ end -}}
{{- $field := printf "certificates.%s" $name -}}
{{- if not (hasKey $.Values.certificates $name) -}}
{{- $field = printf "the certificate %s of secretsManagementSettings" $name -}}
{{- if and $.Values.agent.enabled $.Values.agent.linux.enabled }}{{/* the extension's settings are for Windows */}}
{{- $selector := $spec.nodeSelector | default dict -}}
{{- $_ := set $spec "nodeSelector" (mergeOverwrite (dict "matchLabels" (dict "kubernetes.io/os" "windows")) $selector) -}}
{{- end -}}
{{- end -}}
{{- include "vaultpane.rules.own" (dict "field" $field "value" $spec "rules" $rules) -}}
{{- include "vaultpane.check.certificate" (dict "field" $field "spec" $spec "root" $) -}}
{{- end -}}
{{- include "vaultpane.check.shared" $certificates -}}
{{- toYaml $certificates -}}
{{- end -}}

{{/* Rejects a certificate that comes from nowhere, from two places, or from where agents may not read it. */}}
{{- define "vaultpane.check.source" -}}
{{- if .spec.url -}}
{{- include "vaultpane.check.vault" (dict "field" .field "url" .spec.url "root" .root) -}}
{{- else if not .spec.configMap -}}
{{- fail (printf "%s.url is required: the URL of a secret in Key Vault, as in https://myvault.vault.azure.net/secrets/mycertificate; for certificates of authorities in the cluster, configMap takes its place" .field) -}}
{{- else if and .root.Values.rbac.create (not (has .spec.configMap.name (.root.Values.trust.configMaps | default list))) -}}
{{- fail (printf "%s.configMap.name is %q, which agents may not read: add it to trust.configMaps" .field .spec.configMap.name) -}}
{{- end -}}
{{- end -}}

{{/* Rejects a vault that is not on the agents' allow-list, which every node would report later. The domains are those of Azure's clouds. */}}
{{- define "vaultpane.check.vault" -}}
{{- $authority := regexFind "^https://[^/]+" .url | trimPrefix "https://" | lower | trimSuffix ":443" -}}
{{- $host := regexReplaceAll ":[0-9]+$" $authority "" -}}
{{- include "vaultpane.check.vaultName" (dict "field" .field "url" .url "host" $host) -}}
{{- $allowed := false -}}
{{- range concat (list ".vault.azure.net" ".vault.azure.cn" ".vault.usgovcloudapi.net") (.root.Values.agent.allowedVaultHosts | default list) -}}
{{- $entry := lower . | trimSuffix ":443" -}}
{{- $allowed = or $allowed (hasPrefix "." $entry | ternary (hasSuffix $entry $host) (has $entry (list $host $authority))) -}}
{{- end -}}
{{- if not $allowed -}}
{{- fail (printf "%s has the url %q, whose host is not in a domain of Azure Key Vault (.vault.azure.net, .vault.azure.cn, .vault.usgovcloudapi.net): correct it, or add the host to agent.allowedVaultHosts if agents should send requests to it" .field .url) -}}
{{- end -}}
{{- $authority := .root.Values.azure.authorityHost | default "" -}}
{{- range .root.Values.agent.extraEnv }}{{ if and (not $authority) (eq .name "AZURE_AUTHORITY_HOST") }}{{ $authority = .value | default "" }}{{ end }}{{ end -}}
{{- include "vaultpane.check.cloud" (dict "field" .field "url" .url "host" $host "authority" $authority) -}}
{{- end -}}

{{/* Rejects host names of Azure that are not those of a vault
(https://learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates#vault-name-and-object-name). */}}
{{- define "vaultpane.check.vaultName" -}}
{{- if regexMatch "[.]managedhsm[.](azure[.]net|azure[.]cn|usgovcloudapi[.]net)$" .host -}}
{{- fail (printf "%s has the url %q, of a managed HSM, which holds keys and no certificates; use a vault, as in https://myvault.vault.azure.net/secrets/mycertificate" .field .url) -}}
{{- else if regexMatch "[.]privatelink[.]vaultcore[.]|[.]vaultcore[.]" .host -}}
{{- fail (printf "%s has the url %q, with the name of a private endpoint; use the vault's own name, as in https://myvault.vault.azure.net/secrets/mycertificate, which DNS resolves to the endpoint" .field .url) -}}
{{- else if regexMatch "[.]vault[.](azure[.]net|azure[.]cn|usgovcloudapi[.]net)$" .host -}}
{{- $name := regexReplaceAll "[.]vault[.](azure[.]net|azure[.]cn|usgovcloudapi[.]net)$" .host "" -}}
{{- if contains "." $name -}}
{{- fail (printf "%s has the url %q, in which %q is not the name of a vault, which has 3 to 24 letters, digits and dashes" .field .url $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Rejects a token authority of another cloud than the vault's
(https://learn.microsoft.com/entra/identity-platform/authentication-national-cloud). */}}
{{- define "vaultpane.check.cloud" -}}
{{- $call := . -}}
{{- $public := "login[.]microsoftonline[.]com|login[.]microsoft[.]com|login[.]windows[.]net|sts[.]windows[.]net" -}}
{{- $government := "login[.]microsoftonline[.]us|login-us[.]microsoftonline[.]com" -}}
{{- $china := "login[.]chinacloudapi[.]cn|login[.]partner[.]microsoftonline[.]cn" -}}
{{- range list (list ".vault.azure.net" $public "https://login.microsoftonline.com/") (list ".vault.usgovcloudapi.net" $government "https://login.microsoftonline.us/") (list ".vault.azure.cn" $china "https://login.chinacloudapi.cn/") -}}
{{- $known := regexMatch (printf "^https://(%s|%s|%s)/*$" $public $government $china) (lower $call.authority) -}}
{{- if and $known (hasSuffix (index . 0) $call.host) (not (regexMatch (printf "^https://(%s)/*$" (index . 1)) (lower $call.authority))) -}}
{{- fail (printf "%s has the url %q, and azure.authorityHost (or AZURE_AUTHORITY_HOST) is %q, which issues tokens for another cloud: leave it empty to use the authority of each vault's cloud, here %s" $call.field $call.url $call.authority (index . 2)) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Rejects a certificate that no agent of this release could install. */}}
{{- define "vaultpane.check.certificate" -}}
{{- with include "vaultpane.contradiction" (dict "root" .root "selector" (.spec.nodeSelector | default dict)) -}}
{{- fail (printf "%s.nodeSelector selects no node: %s" $.field .) -}}
{{- end -}}
{{- if and (.spec.authentication).msiClientId (eq .root.Values.azure.credential "environment") -}}
{{- fail (printf "%s has msiClientId %s, but azure.credential environment has only one identity, that of its client secret: remove msiClientId, or use the credential managed-identity or workload-identity" .field .spec.authentication.msiClientId) -}}
{{- end -}}
{{- end -}}

{{/* Rejects two certificates that put the same key into the same store with different settings for it: on nodes that both select,
one of them would fail (Conflict). Agents merge their accounts, and link renewed certificates if one of them asks for it.
Certificates with different selectors may be for different nodes. */}}
{{- define "vaultpane.check.shared" -}}
{{- $seen := dict -}}
{{- range $name, $spec := . -}}
{{- if $spec.url }}{{/* a ConfigMap has no key */}}
{{- $place := printf "%s in %s of %s on %s" ($spec.url | lower | replace ":443/" "/") ($spec.certificateStoreName | default "MY" | lower) ($spec.certificateStoreLocation | default "LocalMachine" | lower | replace "_" "") (mustToRawJson ($spec.nodeSelector | default dict)) -}}
{{- $other := get $seen $place | default dict -}}
{{- range $field := list "keyExportable" "keyStorageProvider" -}}
{{- if and $other (ne (get $other.spec $field | default "" | mustToRawJson) (get $spec $field | default "" | mustToRawJson)) -}}
{{- fail (printf "certificates %s and %s put %s into the same store %s, with different %s: merge them, or give them nodeSelectors for different nodes" $other.name $name $spec.url ($spec.certificateStoreName | default "MY") $field) -}}
{{- end -}}
{{- end -}}
{{- $_ := set $seen $place (dict "name" $name "spec" $spec) -}}
{{- end -}}
{{- end -}}
{{- end -}}
