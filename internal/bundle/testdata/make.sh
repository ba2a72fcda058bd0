#!/usr/bin/env bash
# Writes the files of this folder with OpenSSL 3 (with its legacy provider) and Java 17 or later.
set -euo pipefail
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$work/$1.key"; }
issue() { # name, issuer, extension
  key "$1"
  openssl req -new -key "$work/$1.key" -subj "/CN=$1" -out "$work/$1.csr"
  openssl x509 -req -in "$work/$1.csr" -CA "$work/$2.crt" -CAkey "$work/$2.key" -days 36500 -set_serial "0x$(openssl rand -hex 8)" \
    -extfile <(printf '%s\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n' "$3") -out "$work/$1.crt" 2>/dev/null
}
key root
openssl req -x509 -key "$work/root.key" -subj /CN=root -days 36500 -out "$work/root.crt"
issue intermediate root basicConstraints=critical,CA:TRUE
issue leaf intermediate basicConstraints=CA:FALSE
cat "$work/root.crt" "$work/intermediate.crt" >"$work/chain.crt"

export_pfx() { # file, then options
  local file=$1
  shift
  openssl pkcs12 -export -inkey "$work/leaf.key" -in "$work/leaf.crt" -certfile "$work/chain.crt" -name leaf \
    -passout "pass:${PASSWORD-}" -out "$file" "$@"
}
export_pfx openssl-modern.pfx
export_pfx openssl-legacy.pfx -legacy
export_pfx openssl-3des.pfx -legacy -keypbe PBE-SHA1-3DES -certpbe PBE-SHA1-3DES -macalg sha1
export_pfx openssl-2des-rc2-128.pfx -legacy -keypbe PBE-SHA1-2DES -certpbe PBE-SHA1-RC2-128 -macalg sha1
export_pfx openssl-aes-128.pfx -keypbe AES-128-CBC -certpbe AES-128-CBC
export_pfx openssl-aes-192.pfx -keypbe AES-192-CBC -certpbe AES-192-CBC
export_pfx openssl-pbes2-3des.pfx -keypbe DES-EDE3-CBC -certpbe DES-EDE3-CBC
export_pfx openssl-plain.pfx -keypbe NONE -certpbe NONE
export_pfx openssl-plain-nomac.pfx -keypbe NONE -certpbe NONE -nomac
export_pfx openssl-nomac.pfx -nomac
export_pfx openssl-sha512.pfx -macalg sha512
export_pfx openssl-sha384.pfx -macalg sha384
export_pfx openssl-aes-cfb.pfx -keypbe AES-256-CFB -certpbe AES-256-CFB
export_pfx openssl-provider.pfx -name "Größe – web" -CSP "Microsoft Enhanced RSA and AES Cryptographic Provider" -LMK
PASSWORD=secret export_pfx openssl-password.pfx
PASSWORD=secret export_pfx openssl-password-nomac.pfx -nomac
openssl pkcs12 -export -nokeys -in "$work/chain.crt" -passout pass: -out openssl-nokeys.pfx
openssl pkcs12 -export -nokeys -in "$work/chain.crt" -legacy -passout pass: -out openssl-nokeys-legacy.pfx

cat "$work/chain.crt" "$work/leaf.crt" >"$work/all.crt"
openssl crl2pkcs7 -nocrl -certfile "$work/all.crt" -out openssl.p7b
openssl crl2pkcs7 -nocrl -certfile "$work/all.crt" -outform DER -out openssl-der.p7b
echo text >"$work/text"
openssl smime -sign -stream -nodetach -binary -in "$work/text" -signer "$work/leaf.crt" -inkey "$work/leaf.key" \
  -certfile "$work/chain.crt" -outform DER -out openssl-ber.p7b

java -Dwork="$work" -Dkeystore.pkcs12.legacy Java.java java-null.pfx 0
java -Dwork="$work" Java.java java-empty.pfx
java -Dwork="$work" Java.java java-truststore.pfx trust
openssl genrsa -out rsa-8192.key 8192
