package switchcert

import (
	"context"
	"fmt"

	"github.com/vaultpane/vaultpane/internal/certstore"
	"github.com/vaultpane/vaultpane/internal/certstore/windows/internal/powershell"
)

// Notify announces that one certificate of a store has replaced another: Windows writes event 1001 to
// Microsoft-Windows-CertificateServicesClient-Lifecycle-System (for CurrentUser: -User), which starts scheduled tasks, such as IIS'
// rebinding and those of New-CertificateNotificationTask
// (https://learn.microsoft.com/archive/technet-wiki/14250.certificate-services-lifecycle-notifications). No
// documented function does this; Switch-Certificate is the documented way. Both certificates must be in the store. It takes at
// most a minute. A system without such tasks is not an error.
//
// Errors: powershell.ErrUnavailable.
func Notify(ctx context.Context, ref certstore.Ref, old, successor string) error {
	script, err := switchScript(ref, old, successor)
	if err != nil {
		return err
	}
	if err := powershell.Run(ctx, "Switch-Certificate", script); err != nil {
		return fmt.Errorf("announcing the replaced certificate: %w", err)
	}
	return nil
}
