$s = @{secretsManagementSettings=@{observedCertificates=@('https://x')}}
Set-AzVMExtension -Settings $s
