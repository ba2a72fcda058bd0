package sqlserver

import (
	"fmt"
	"regexp"
)

var (
	instanceForm = regexp.MustCompile(`^[A-Za-z_#][0-9A-Za-z_#$]{0,15}$`)
	// idForm matches an instance's id, such as MSSQL16.MSSQLSERVER. It is part of the path of a key.
	idForm = regexp.MustCompile(`^[0-9A-Za-z_#$.-]{1,64}$`)
)

func checkInstance(instance string) error {
	if !instanceForm.MatchString(instance) {
		return fmt.Errorf("%q is not the name of an instance of SQL Server", instance)
	}
	return nil
}

// networkKey returns the key with the network settings of the instance with an id, which is read from the registry.
func networkKey(id string) (string, error) {
	if !idForm.MatchString(id) {
		return "", fmt.Errorf("%q is not the id of an instance of SQL Server", id)
	}
	return `SOFTWARE\Microsoft\Microsoft SQL Server\` + id + `\MSSQLServer\SuperSocketNetLib`, nil
}
