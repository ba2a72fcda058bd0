package e2einstall

import (
	"testing"

	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/test/await"
)

// views looks at Kubernetes' own roles, to which the cluster's controller-manager adds what the chart has for them.
func (l *lifecycle) views(t *testing.T) {
	for _, role := range []string{"view", "edit", "admin"} {
		binding := &rbacv1.ClusterRoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: "people-who-" + role},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role},
			Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: "User", Name: role + "er"}},
		}
		if err := l.client.Create(t.Context(), binding); err != nil {
			t.Fatal(err)
		}
		for _, resource := range []string{"observedcertificates", "nodecertificatestates"} {
			await.That(t, "role "+role+" may read "+resource, func() (bool, error) { return l.may(t, role+"er", "list", resource), nil })
			for _, verb := range []string{"create", "update", "patch", "delete"} {
				if l.may(t, role+"er", verb, resource) {
					t.Errorf("role %s may %s %s", role, verb, resource)
				}
			}
		}
	}
}

// may asks the API server whether a user may use a verb on all objects of a kind.
func (l *lifecycle) may(t *testing.T, user, verb, resource string) bool {
	t.Helper()
	review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
		User:               user,
		ResourceAttributes: &authorizationv1.ResourceAttributes{Group: v1alpha1.GroupVersion.Group, Resource: resource, Verb: verb},
	}}
	if err := l.client.Create(t.Context(), review); err != nil {
		t.Fatal(err)
	}
	return review.Status.Allowed
}
