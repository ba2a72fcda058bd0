module github.com/vaultpane/vaultpane/test/e2eprograms/store

go 1.26.0

require github.com/google/certtostore v1.0.7

require (
	github.com/StackExchange/wmi v1.2.1 // indirect
	github.com/go-ole/go-ole v1.3.0 // indirect
	github.com/google/deck v1.1.0 // indirect
	golang.org/x/crypto v0.54.0 // indirect
	golang.org/x/sys v0.47.0 // indirect
)
