{{/*
The extension's settings, in every form that was ever documented or is seen in public:
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
{{- if hasKey $settings "secretsManagementSettings" }}{{/* the whole of the extension's settings was pasted */}}
{{- $authentication = $settings.authenticationSettings | default $authentication -}}
{{- $settings = include "vaultpane.settings.map" (dict "value" $settings.secretsManagementSettings "field" "secretsManagementSettings") | fromYaml -}}
{{- end -}}
{{- $authentication = $settings.authenticationSettings | default $settings.authenticationLocationSettings | default $authentication -}}
{{- $clientId := include "vaultpane.settings.clientId" $authentication -}}
{{- include "vaultpane.settings.known" (dict "map" $settings "field" "secretsManagementSettings" "keys" (list "observedCertificates" "pollingIntervalInS" "certificateStoreName" "certificateStore" "certificateStoreLocation" "keyExportable" "accounts" "linkOnRenewal" "requireInitialSync" "authenticationSettings" "authenticationLocationSettings")) -}}
{{- $items := $settings.observedCertificates -}}
{{- if and $settings (not $items) (not (kindIs "slice" $items)) -}}
{{- fail "secretsManagementSettings.observedCertificates is missing, must be the list of certificates, as in the extension's settings" -}}
{{- end -}}
{{- if kindIs "string" $items }}{{ $items = ternary ($items | fromYamlArray) (list $items) (hasPrefix "[" (trim $items)) }}{{ end -}}
{{- if kindIs "map" $items }}{{ $items = list $items }}{{ end -}}
{{- $certificates := dict -}}
{{- range $index, $item := $items -}}
{{- $field := printf "secretsManagementSettings.observedCertificates[%d]" $index -}}
{{- $spec := include "vaultpane.settings.spec" (dict "item" $item "settings" $settings "field" $field "clientId" $clientId) | fromYaml -}}
{{- $name := include "vaultpane.settings.name" (dict "spec" $spec "taken" $certificates) -}}
{{- if and (hasKey $certificates $name) (ne (toJson (get $certificates $name)) (toJson $spec)) -}}
{{- fail (printf "%s names %s for the store %s of %s again, with other settings; remove one of the two" $field $spec.url $spec.certificateStoreName $spec.certificateStoreLocation) -}}
{{- end -}}
{{- $_ := set $certificates $name $spec -}}
{{- end -}}
{{- toYaml $certificates -}}
{{- end -}}

{{/* A map, or its JSON in a string. YAML reads JSON, and minds no comma too many. */}}
{{- define "vaultpane.settings.map" -}}
{{- $map := .value -}}
{{- if kindIs "string" $map -}}
{{- $map = trim $map | default "{}" | fromYaml -}}
{{- if kindIs "string" $map }}{{ $map = fromYaml $map }}{{ end -}}
{{- if hasKey $map "Error" -}}
{{- fail (printf "%s is a string and not the extension's JSON, which begins with { and ends with }: %s" .field $map.Error) -}}
{{- end -}}
{{- end -}}
{{- if and $map (not (kindIs "map" $map)) -}}
{{- fail (printf "%s is a %s, must be a map such as the extension's settings have" .field (kindOf $map)) -}}
{{- end -}}
{{- toYaml ($map | default dict) -}}
{{- end -}}

{{/* Refuses words that the extension for Windows never had: most often a slip, which would go unnoticed. */}}
{{- define "vaultpane.settings.known" -}}
{{- $call := . -}}
{{- range $key, $_ := .map -}}
{{- if not (has $key $call.keys) -}}
{{- fail (printf "%s.%s is no setting of the Key Vault VM extension for Windows; there are %s" $call.field $key (join ", " $call.keys)) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* The client id of authenticationSettings. The endpoint of the machine's identity needs no setting. */}}
{{- define "vaultpane.settings.clientId" -}}
{{- $authentication := include "vaultpane.settings.map" (dict "value" . "field" "authenticationSettings") | fromYaml -}}
{{- if or $authentication.clientId $authentication.clientCertificateSubjectName -}}
{{- fail "authenticationSettings holds the settings of the extension for Cloud Services (clientId, clientCertificateSubjectName): signing in with a certificate of the machine's store is not supported; use an Azure identity (azure.credential)" -}}
{{- end -}}
{{- if $authentication.msiObjectId -}}
{{- fail "authenticationSettings.msiObjectId is an object id, which only the extension can use; give msiClientId instead: 'az identity show --query clientId' prints it" -}}
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
{{- $clientId -}}
{{- end -}}

{{/* The spec of one entry; what it does not say is taken from beside the list, as before 3.x. */}}
{{- define "vaultpane.settings.spec" -}}
{{- $field := .field -}}
{{- $item := .item -}}
{{- if kindIs "string" $item }}{{ $item = dict "url" $item }}{{ end -}}
{{- if not (kindIs "map" $item) -}}
{{- fail (printf "%s is a %s, must be a URL or a map with url" $field (kindOf $item)) -}}
{{- end -}}
{{- include "vaultpane.settings.known" (dict "map" $item "field" $field "keys" (list "url" "certificateStoreName" "certificateStore" "certificateStoreLocation" "keyExportable" "accounts" "linkOnRenewal" "requireInitialSync" "pollingIntervalInS")) -}}
{{- $all := pick .settings "certificateStoreName" "certificateStore" "certificateStoreLocation" "keyExportable" "accounts" "linkOnRenewal" "requireInitialSync" "pollingIntervalInS" -}}
{{- range $key, $value := $item }}{{ if not (kindIs "invalid" $value) }}{{ $_ := set $all $key $value }}{{ end }}{{ end -}}
{{- $spec := dict "url" (include "vaultpane.settings.url" (dict "value" $all.url "field" $field)) -}}
{{- $_ := set $spec "certificateStoreName" ($all.certificateStoreName | default $all.certificateStore | default "MY" | toString | trim) -}}
{{- $_ := set $spec "certificateStoreLocation" (include "vaultpane.settings.location" (dict "value" $all.certificateStoreLocation "field" $field)) -}}
{{- with include "vaultpane.settings.interval" (dict "value" $all.pollingIntervalInS "field" $field) }}{{ $_ := set $spec "pollingIntervalInS" (int .) }}{{ end -}}
{{- range $key := list "keyExportable" "linkOnRenewal" "requireInitialSync" -}}
{{- with include "vaultpane.settings.bool" (dict "value" (index $all $key) "field" (printf "%s.%s" $field $key)) }}{{ $_ := set $spec $key (eq . "true") }}{{ end -}}
{{- end -}}
{{- with $all.accounts }}{{ $_ := set $spec "accounts" (include "vaultpane.settings.accounts" (dict "value" . "field" $field) | fromYamlArray) }}{{ end -}}
{{- if has (lower $spec.certificateStoreName) (list "root" "ca" "trustedpeople" "trustedpublisher") }}{{/* public certificates only: what is about keys means nothing */}}
{{- $spec = omit $spec "keyExportable" "accounts" "linkOnRenewal" -}}
{{- end -}}
{{- with .clientId }}{{ $_ := set $spec "authentication" (dict "msiClientId" .) }}{{ end -}}
{{- toYaml $spec -}}
{{- end -}}

{{- define "vaultpane.settings.url" -}}
{{- $url := .value | default "" | toString | trim -}}
{{- $example := "as in https://myvault.vault.azure.net/secrets/mycertificate" -}}
{{- if not $url -}}
{{- fail (printf "%s has no url, must have that of the secret, %s" .field $example) -}}
{{- else if contains "<" $url -}}
{{- fail (printf "%s has the url %q, in which a placeholder is left, %s" .field $url $example) -}}
{{- else if not (regexMatch "^https://[^/?#@ ]+/" $url) -}}
{{- fail (printf "%s has the url %q, must begin with https:// and the vault's host, %s" .field $url $example) -}}
{{- else if regexMatch "^https://[^/]+/(certificates|keys)/" $url -}}
{{- fail (printf "%s has the url %q, must point to /secrets/<name>, also for a certificate: the secret of the same name holds the private key" .field $url) -}}
{{- else if not (regexMatch "^https://[^/]+/secrets/[0-9A-Za-z-]{1,127}(/[0-9a-fA-F]{32})?/?$" $url) -}}
{{- fail (printf "%s has the url %q, must have the path /secrets/<name> or /secrets/<name>/<version>, %s" .field $url $example) -}}
{{- end -}}
{{- trimSuffix "/" $url -}}
{{- end -}}

{{- define "vaultpane.settings.location" -}}
{{- $location := .value | default "LocalMachine" | toString | trim -}}
{{- $known := dict "localmachine" "LocalMachine" "currentuser" "CurrentUser" -}}
{{- $found := get $known ($location | lower | replace "_" "") -}}
{{- if not $found -}}
{{- fail (printf "%s has the certificateStoreLocation %q, must be LocalMachine or CurrentUser (LOCAL_MACHINE and CURRENT_USER mean the same); the folders of the extension for Linux are not supported" .field $location) -}}
{{- end -}}
{{- $found -}}
{{- end -}}

{{/* Seconds, from a number or a string; nothing where there is none. */}}
{{- define "vaultpane.settings.interval" -}}
{{- if not (kindIs "invalid" .value) -}}
{{- $text := ternary (toString .value | trim) (.value | float64 | printf "%.3f" | trimSuffix ".000") (kindIs "string" .value) -}}
{{- if not (regexMatch "^[0-9]{1,9}$" $text) -}}
{{- fail (printf "%s has the pollingIntervalInS %q, must be a whole number of seconds, as in 3600 or \"3600\"" .field (toString .value)) -}}
{{- else if or (lt (int64 $text) 30) (gt (int64 $text) 2592000) -}}
{{- fail (printf "%s has the pollingIntervalInS %s, must be 30 to 2592000 seconds (30 days)" .field $text) -}}
{{- end -}}
{{- int64 $text -}}
{{- end -}}
{{- end -}}

{{/* true or false, from a boolean or a string; nothing where there is none. */}}
{{- define "vaultpane.settings.bool" -}}
{{- if not (kindIs "invalid" .value) -}}
{{- $text := toString .value | trim | lower -}}
{{- if not (has $text (list "true" "false")) -}}
{{- fail (printf "%s is %q, must be true or false" .field (toString .value)) -}}
{{- end -}}
{{- $text -}}
{{- end -}}
{{- end -}}

{{- define "vaultpane.settings.accounts" -}}
{{- $accounts := ternary (list .value) .value (kindIs "string" .value) -}}
{{- if not (kindIs "slice" $accounts) -}}
{{- fail (printf "%s has accounts that are a %s, must be a list of Windows accounts" .field (kindOf .value)) -}}
{{- end -}}
{{- $trimmed := list -}}
{{- range $accounts }}{{ $trimmed = append $trimmed (toString . | trim) }}{{ end -}}
{{- toYaml (uniq $trimmed) -}}
{{- end -}}

{{/* A name that follows from what an entry is, so that others come and go without renaming it: the secret; with store and
location where they are not the usual; with the version where one is pinned; with the vault where two have the name. */}}
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
{{- if ne (lower $other.url) (lower .spec.url) -}}
{{- $name = include "vaultpane.settings.dns" (printf "%s-%s-%s" $name (splitList "." $url.host | first) (sha256sum (lower .spec.url) | trunc 4)) -}}
{{- end -}}
{{- end -}}
{{- $name -}}
{{- end -}}

{{- define "vaultpane.settings.dns" -}}
{{- . | lower | replace "_" "-" | replace "." "-" | replace " " "-" | trunc 240 | trimAll "-" | default "certificate" -}}
{{- end -}}
