{{/*
The extension's settings, in every form that was documented or is found in public repositories:
  2017   {pollingIntervalInS: 3600, certificateStoreName: MY, certificateStoreLocation: LOCAL_MACHINE, observedCertificates: [URL, ...]}
  1.x    the same with LocalMachine, linkOnRenewal, requireInitialSync, and strings for numbers and booleans
  3.x    observedCertificates: [{url, certificateStoreName, certificateStoreLocation, keyExportable, accounts}, ...]
  4.x    the same without keyExportable, linkOnRenewal and requireInitialSync
Sources: Microsoft's page "Key Vault VM extension for Windows" of these years.
*/}}

{{/* Writes the ObservedCertificates of secretsManagementSettings, as a map from name to spec. */}}
{{- define "vaultpane.settings" -}}
{{- $settings := include "vaultpane.settings.map" (dict "value" .Values.secretsManagementSettings "field" "secretsManagementSettings") | fromYaml -}}
{{- $authentication := include "vaultpane.settings.map" (dict "value" .Values.authenticationSettings "field" "authenticationSettings") | fromYaml -}}
{{- include "vaultpane.settings.type" $settings -}}
{{- with $settings.runtimeSettings }}{{/* the file 0.settings of a machine */}}
{{- if kindIs "slice" . }}{{ $settings = get (first . | default dict) "handlerSettings" | default dict }}{{ end -}}
{{- end -}}
{{- range list "properties" "osProfile" "settings" "publicSettings" "PublicSettings" }}{{/* which templates and tools put around the settings */}}
{{- with get $settings . }}{{ $settings = include "vaultpane.settings.map" (dict "value" . "field" "secretsManagementSettings") | fromYaml }}{{ end -}}
{{- include "vaultpane.settings.type" $settings -}}
{{- end -}}
{{- $within := $settings.authenticationSettings -}}
{{- if hasKey $settings "secretsManagementSettings" }}{{/* all of the extension's settings were pasted */}}
{{- include "vaultpane.settings.known" (dict "map" $settings "field" "secretsManagementSettings" "keys" (list "secretsManagementSettings" "authenticationSettings")) -}}
{{- $settings = include "vaultpane.settings.map" (dict "value" $settings.secretsManagementSettings "field" "secretsManagementSettings") | fromYaml -}}
{{- end -}}
{{- $within = include "vaultpane.settings.clientId" ($settings.authenticationSettings | default $settings.authenticationLocationSettings | default $within) -}}
{{- $clientId := include "vaultpane.settings.clientId" $authentication -}}
{{- if and $within $clientId (ne $within $clientId) -}}
{{- fail (printf "authenticationSettings.msiClientId is %q, and secretsManagementSettings has %q in its own authenticationSettings; remove one of the two" $clientId $within) -}}
{{- end -}}
{{- include "vaultpane.settings.known" (dict "map" $settings "field" "secretsManagementSettings" "keys" (list "observedCertificates" "pollingIntervalInS" "certificateStoreName" "certificateStore" "certificateStoreLocation" "keyExportable" "accounts" "linkOnRenewal" "requireInitialSync" "authenticationSettings" "authenticationLocationSettings" "secretsManagementSettings")) -}}
{{- if and $clientId (not $settings) -}}
{{- fail "authenticationSettings.msiClientId applies only to the certificates of secretsManagementSettings, and there are none; for other certificates use azure.clientId, or their own authentication.msiClientId" -}}
{{- end -}}
{{- $rules := .Files.Get "files/rules.yaml" | fromYaml -}}
{{- $certificates := dict -}}
{{- range $index, $item := include "vaultpane.settings.items" $settings | fromYamlArray -}}
{{- $field := printf "secretsManagementSettings.observedCertificates[%d]" $index -}}
{{- $spec := include "vaultpane.settings.spec" (dict "item" $item "settings" $settings "field" $field "clientId" ($within | default $clientId)) | fromYaml -}}
{{- include "vaultpane.rules" (dict "field" $field "value" $spec "rules" $rules) -}}
{{- include "vaultpane.check.vault" (dict "field" $field "url" $spec.url "root" $) -}}
{{- $name := include "vaultpane.settings.name" (dict "spec" $spec "taken" $certificates) -}}
{{- if and (hasKey $certificates $name) (ne (toJson (get $certificates $name)) (toJson $spec)) -}}
{{- fail (printf "%s has %s for the store %s of %s a second time, with other settings; remove one of the two" $field $spec.url $spec.certificateStoreName $spec.certificateStoreLocation) -}}
{{- end -}}
{{- $_ := set $certificates $name $spec -}}
{{- end -}}
{{- toYaml $certificates -}}
{{- end -}}

{{/* Rejects the settings of another extension, as `az vm extension list` and templates have them. */}}
{{- define "vaultpane.settings.type" -}}
{{- range $key := list "type" "typePropertiesType" "typeHandlerName" "virtualMachineExtensionType" -}}
{{- $type := get $ $key | toString -}}
{{- if eq (lower $type) "keyvaultforlinux" -}}
{{- fail (printf "secretsManagementSettings has the %s %s, the Key Vault VM extension for Linux, whose settings name directories; use the settings of KeyVaultForWindows, or certificates with agent.linux.enabled: true" $key $type) -}}
{{- else if and (hasPrefix "keyvaultfor" (lower $type)) (ne (lower $type) "keyvaultforwindows") -}}
{{- fail (printf "secretsManagementSettings has the %s %s, whose settings differ; use those of KeyVaultForWindows" $key $type) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* A map, or its JSON in a string: with a byte order mark, with comments, or quoted once more. YAML reads JSON, and accepts
trailing commas. */}}
{{- define "vaultpane.settings.map" -}}
{{- $map := .value -}}
{{- if and (kindIs "string" $map) (regexMatch "^\\s*@" $map) -}}
{{- fail (printf "%s is %q, a file name in the syntax of az; with Helm, use --set-file %s=%s" .field $map .field (trim $map | trimPrefix "@")) -}}
{{- else if or (kindIs "slice" $map) (and (kindIs "string" $map) (regexMatch "^\\s*\\[" $map)) -}}
{{- fail (printf "%s is a list, as 'az vm extension list' prints it; use only the settings of KeyVaultForWindows, as 'az vm extension show --query settings' prints them" .field) -}}
{{- end -}}
{{- if kindIs "string" $map -}}
{{- $text := regexReplaceAll "(?s)/[*].*?[*]/|(^|\\s)//[^\n]*" (trimPrefix "\ufeff" $map) "" | trim -}}
{{- if regexMatch "^[\"']" $text }}{{ $text = printf "[%s]" $text | fromYamlArray | first | toString | trim }}{{ end -}}
{{- $map = $text | default "{}" | fromYaml -}}
{{- if hasKey $map "Error" -}}
{{- fail (printf "%s is a string but not the extension's JSON, which begins with { and ends with }; it begins with %q%s" .field (trunc 30 $text) (regexReplaceAll ".*yaml: " $map.Error ", " | regexFind "^, .*")) -}}
{{- end -}}
{{- end -}}
{{- if and $map (not (kindIs "map" $map)) -}}
{{- fail (printf "%s is a %s, must be a map like the extension's settings" .field (include "vaultpane.kind" $map)) -}}
{{- end -}}
{{- toYaml ($map | default dict) -}}
{{- end -}}

{{/* Rejects settings that the extension for Windows never had. */}}
{{- define "vaultpane.settings.known" -}}
{{- $field := .field -}}
{{- range $key := list "aclEnabled" "acls" "customSymbolicLinkName" "loggingSettings" "telemetrySettings" -}}
{{- if hasKey $.map $key -}}
{{- fail (printf "%s.%s is a setting of the Key Vault VM extension for Linux and has no effect here; remove it" $field $key) -}}
{{- end -}}
{{- end -}}
{{- include "vaultpane.unknown" (dict "field" .field "map" .map "keys" .keys "what" "a setting of the Key Vault VM extension for Windows") -}}
{{- end -}}

{{/* The entries: a list, its JSON in a string, or one entry alone. */}}
{{- define "vaultpane.settings.items" -}}
{{- $items := .observedCertificates -}}
{{- if and . (kindIs "invalid" $items) -}}
{{- fail "secretsManagementSettings.observedCertificates is missing, must be the list of certificates, as in the extension's settings" -}}
{{- end -}}
{{- if kindIs "string" $items }}{{ $items = ternary ($items | fromYamlArray) (list $items) (hasPrefix "[" (trim $items)) }}{{ end -}}
{{- if and (kindIs "slice" $items) $items (hasPrefix "error " (first $items | toString)) -}}
{{- fail (printf "secretsManagementSettings.observedCertificates is a string but not the JSON of a list: %s" (first $items)) -}}
{{- end -}}
{{- if kindIs "map" $items }}{{ $items = list $items }}{{ end -}}
{{- if and . (kindIs "slice" $items) (empty $items) -}}
{{- fail "secretsManagementSettings.observedCertificates is an empty list; add a certificate, or remove secretsManagementSettings" -}}
{{- end -}}
{{- toYaml $items -}}
{{- end -}}

{{/* The client id of authenticationSettings. The endpoint of the machine's identity is not needed. */}}
{{- define "vaultpane.settings.clientId" -}}
{{- $authentication := include "vaultpane.settings.map" (dict "value" . "field" "authenticationSettings") | fromYaml -}}
{{- if or $authentication.clientId $authentication.clientCertificateSubjectName -}}
{{- fail "authenticationSettings has the settings of the extension for Cloud Services (clientId, clientCertificateSubjectName): signing in with a certificate of the machine's store is not supported; use an Azure identity (azure.credential)" -}}
{{- end -}}
{{- if $authentication.msiObjectId -}}
{{- fail "authenticationSettings.msiObjectId is an object id, which only the extension can use; use msiClientId instead: 'az identity show --query clientId' prints it" -}}
{{- end -}}
{{- include "vaultpane.settings.known" (dict "map" $authentication "field" "authenticationSettings" "keys" (list "msiEndpoint" "msiClientId" "msiObjectId")) -}}
{{- $endpoint := $authentication.msiEndpoint | default "" | toString | trim -}}
{{- if and $endpoint (not (regexMatch "^http://(169[.]254[.]169[.]254|localhost:40342)/metadata/identity(/oauth2/token)?/?$" $endpoint)) -}}
{{- fail (printf "authenticationSettings.msiEndpoint is %q, must be http://169.254.169.254/metadata/identity/oauth2/token, http://localhost:40342/metadata/identity (Azure Arc) or left out" $endpoint) -}}
{{- end -}}
{{- $clientId := $authentication.msiClientId | default "" | toString | trim -}}
{{- if and $clientId (not (regexMatch "^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$" $clientId)) -}}
{{- fail (printf "authenticationSettings.msiClientId is %q, must be a client id, a GUID: 'az identity show --query clientId' prints it" $clientId) -}}
{{- end -}}
{{- if regexMatch "^[0-]+$" $clientId -}}
{{- fail (printf "authenticationSettings.msiClientId is %q, a GUID of zeros, which is a placeholder: 'az identity show --query clientId' prints the client id" $clientId) -}}
{{- end -}}
{{- $clientId -}}
{{- end -}}

{{/* The spec of one entry. Fields that it lacks come from the settings next to the list, as before 3.x. */}}
{{- define "vaultpane.settings.spec" -}}
{{- $field := .field -}}
{{- $item := .item -}}
{{- if kindIs "string" $item }}{{ $item = dict "url" $item }}{{ end -}}
{{- if not (kindIs "map" $item) -}}
{{- fail (printf "%s is a %s, must be a URL or a map with url" $field (include "vaultpane.kind" $item)) -}}
{{- end -}}
{{- if and (not (hasKey $item "url")) (or (hasKey $item "sid") (hasKey $item "id")) -}}
{{- fail (printf "%s has no url, but the output of 'az keyvault' for a certificate or secret; write only the secret's URL, which is its sid or its id with /secrets/, as in https://myvault.vault.azure.net/secrets/mycertificate" $field) -}}
{{- end -}}
{{- include "vaultpane.settings.known" (dict "map" $item "field" $field "keys" (list "url" "certificateStoreName" "certificateStore" "certificateStoreLocation" "keyExportable" "accounts" "linkOnRenewal" "requireInitialSync" "pollingIntervalInS")) -}}
{{- $all := pick .settings "certificateStoreName" "certificateStore" "certificateStoreLocation" "keyExportable" "accounts" "linkOnRenewal" "requireInitialSync" "pollingIntervalInS" -}}
{{- range $key, $value := $item }}{{ if not (has $value (list nil "")) }}{{ $_ := set $all $key $value }}{{ end }}{{ end -}}
{{- $spec := dict "url" (include "vaultpane.settings.url" (dict "value" $all.url "field" $field)) -}}
{{- $_ := set $spec "certificateStoreName" ($all.certificateStoreName | default $all.certificateStore | default "MY" | toString) -}}
{{- $_ := set $spec "certificateStoreLocation" (include "vaultpane.settings.location" (dict "value" $all.certificateStoreLocation "field" $field)) -}}
{{- with include "vaultpane.settings.interval" (dict "value" $all.pollingIntervalInS "field" $field) }}{{ $_ := set $spec "pollingIntervalInS" (int .) }}{{ end -}}
{{- range $key := list "keyExportable" "linkOnRenewal" "requireInitialSync" -}}
{{- with include "vaultpane.settings.bool" (dict "value" (index $all $key) "field" (printf "%s.%s" $field $key)) }}{{ $_ := set $spec $key (eq . "true") }}{{ end -}}
{{- end -}}
{{- with $all.accounts }}{{ $_ := set $spec "accounts" (include "vaultpane.settings.accounts" (dict "value" . "field" $field) | fromYamlArray) }}{{ end -}}
{{- if has ($spec.certificateStoreName | toString | lower) (list "root" "ca" "trustedpeople" "trustedpublisher") }}{{/* these stores receive public certificates only, so fields about keys have no effect */}}
{{- $spec = omit $spec "keyExportable" "accounts" "linkOnRenewal" -}}
{{- end -}}
{{- with .clientId }}{{ $_ := set $spec "authentication" (dict "msiClientId" .) }}{{ end -}}
{{- toYaml $spec -}}
{{- end -}}

{{- define "vaultpane.settings.url" -}}
{{- $url := .value | default "" | toString | trim -}}
{{- $example := "as in https://myvault.vault.azure.net/secrets/mycertificate" -}}
{{- if not $url -}}
{{- fail (printf "%s has no url, must have the URL of the secret, %s" .field $example) -}}
{{- else if regexMatch "[][<>{}()$]" $url -}}
{{- fail (printf "%s has the url %q, which still contains a placeholder or an expression; write the URL of the secret, %s" .field $url $example) -}}
{{- end -}}
{{- trimSuffix "/" $url -}}
{{- end -}}

{{- define "vaultpane.settings.location" -}}
{{- $location := .value | default "LocalMachine" | toString | trim -}}
{{- $known := dict "localmachine" "LocalMachine" "currentuser" "CurrentUser" -}}
{{- $found := get $known ($location | lower | replace "_" "" | replace " " "") -}}
{{- if not $found -}}
{{- fail (printf "%s has the certificateStoreLocation %q, must be LocalMachine or CurrentUser (LOCAL_MACHINE and CURRENT_USER mean the same); the directories of the extension for Linux are not supported" .field $location) -}}
{{- end -}}
{{- $found -}}
{{- end -}}

{{/* Seconds, from a number or a string; nothing if there is none. */}}
{{- define "vaultpane.settings.interval" -}}
{{- if not (has .value (list nil "")) -}}
{{- $text := ternary (.value | float64 | printf "%.3f" | trimSuffix ".000") (toString .value | trim) (eq (include "vaultpane.kind" .value) "number") -}}
{{- if not (regexMatch "^[0-9]{1,9}$" $text) -}}
{{- fail (printf "%s has the pollingIntervalInS %q, must be a whole number of seconds, as in 3600 or \"3600\"" .field (toString .value)) -}}
{{- end -}}
{{- $text -}}
{{- end -}}
{{- end -}}

{{/* true or false, from a boolean or a string; nothing if there is none. */}}
{{- define "vaultpane.settings.bool" -}}
{{- if not (has .value (list nil "")) -}}
{{- $text := toString .value | trim | lower -}}
{{- if not (has $text (list "true" "false")) -}}
{{- fail (printf "%s is %q, must be true or false" .field (toString .value)) -}}
{{- end -}}
{{- $text -}}
{{- end -}}
{{- end -}}

{{- define "vaultpane.settings.accounts" -}}
{{- $accounts := .value -}}
{{- if kindIs "string" $accounts }}{{ $accounts = splitList "," $accounts }}{{ end -}}
{{- if not (kindIs "slice" $accounts) -}}
{{- fail (printf "%s has accounts that are a %s, must be a list of Windows accounts" .field (include "vaultpane.kind" .value)) -}}
{{- end -}}
{{- $trimmed := list -}}
{{- range $index, $account := $accounts -}}
{{- if not (kindIs "string" $account) -}}
{{- fail (printf "%s.accounts[%d] is %s, must be a string" $.field $index (mustToRawJson $account)) -}}
{{- end -}}
{{- $trimmed = append $trimmed (trim $account) -}}
{{- end -}}
{{- toYaml (uniq $trimmed) -}}
{{- end -}}

{{/* A name that depends on the entry alone, so that adding or removing others does not rename it: the secret's name; with the store and
location if they are not the defaults; with the version if one is pinned; with the vault if two certificates would have the same name. */}}
{{- define "vaultpane.settings.name" -}}
{{- $url := urlParse .spec.url -}}
{{- $parts := splitList "/" (trimPrefix "/" $url.path) -}}
{{- $words := list (index $parts 1) -}}
{{- if ne (lower .spec.certificateStoreName) "my" }}{{ $words = append $words .spec.certificateStoreName }}{{ end -}}
{{- if ne .spec.certificateStoreLocation "LocalMachine" }}{{ $words = append $words .spec.certificateStoreLocation }}{{ end -}}
{{- if gt (len $parts) 2 }}{{ $words = append $words (index $parts 2 | trunc 8) }}{{ end -}}
{{- $name := include "vaultpane.settings.dns" (join "-" $words) -}}
{{- if hasKey .taken $name -}}
{{- $other := get .taken $name -}}
{{- if ne (pick $other "url" "certificateStoreName" "certificateStoreLocation" | toJson | lower) (pick .spec "url" "certificateStoreName" "certificateStoreLocation" | toJson | lower) -}}
{{- $name = include "vaultpane.settings.dns" (printf "%s-%s-%s" $name (splitList "." $url.host | first) (sha256sum (lower .spec.url) | trunc 4)) -}}
{{- end -}}
{{- end -}}
{{- $name -}}
{{- end -}}

{{- define "vaultpane.settings.dns" -}}
{{- . | lower | replace "_" "-" | replace "." "-" | replace " " "-" | trunc 240 | trimAll "-" | default "certificate" -}}
{{- end -}}
