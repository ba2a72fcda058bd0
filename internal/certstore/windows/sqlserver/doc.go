// Package sqlserver reads and sets the certificate of an instance of SQL Server, as SQL Server Configuration Manager keeps it
// (https://learn.microsoft.com/sql/database-engine/configure-windows/configure-sql-server-encryption).
package sqlserver
