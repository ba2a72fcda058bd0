// Package breaker limits the requests to vaults and token services: a circuit breaker, a bulkhead and a request budget for each
// target. It knows neither HTTP nor Key Vault: its caller reports each request as a success, a Failure, or neither.
package breaker
