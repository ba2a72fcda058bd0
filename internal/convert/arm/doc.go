// Package arm evaluates Azure Resource Manager templates as far as settings of the Key Vault VM extension need it: parameters,
// variables, loops, conditions, nested and linked deployments, and the functions that such settings use.
//
// What Azure alone knows, or nobody gave, becomes a value of the kind document.Unresolved that carries its reason. It is no
// problem until something needs it.
//
// Sources: Microsoft's pages "Understand the structure and syntax of ARM templates", "ARM template functions", "Resource
// iteration", "Property iteration" and "Linked and nested templates"
// (https://learn.microsoft.com/azure/azure-resource-manager/templates/).
package arm
