package certstore

import "testing"

func TestKeyAccess(t *testing.T) {
	const base = "D:P(A;;FA;;;S-1-5-18)(A;;FA;;;S-1-5-32-544)"
	tests := []struct {
		name     string
		location Location
		readers  []string
		want     string
	}{
		{"without accounts only SYSTEM and Administrators have access", LocalMachine, nil, base},
		{"an account may read", LocalMachine, []string{"S-1-5-20"}, base + "(A;;FR;;;S-1-5-20)"},
		{"order and repetition do not matter", LocalMachine, []string{"S-1-5-20", "S-1-5-19", "S-1-5-20"},
			base + "(A;;FR;;;S-1-5-19)(A;;FR;;;S-1-5-20)"},
		{"full access is not narrowed to read access", LocalMachine, []string{"S-1-5-32-544", "S-1-5-18"}, base},
		{"a user has full access to the user's key", CurrentUser, nil, base + "(A;;FA;;;S-1-3-4)"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := KeyAccess(test.location, test.readers); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

func TestAtLeastAsWide(t *testing.T) {
	narrow, wide := KeyAccess(LocalMachine, nil), KeyAccess(LocalMachine, []string{"S-1-5-20"})
	other := KeyAccess(LocalMachine, []string{"S-1-5-19"})
	tests := []struct {
		name string
		a, b string
		want bool
	}{
		{"the same", wide, wide, true},
		{"one more reader", wide, narrow, true},
		{"one reader fewer", narrow, wide, false},
		{"another reader", other, wide, false},
		{"full access includes read access", "D:P(A;;FA;;;S-1-5-18)(A;;FA;;;S-1-5-20)", "D:P(A;;FR;;;S-1-5-20)", true},
		{"read access does not include full access", "D:P(A;;FR;;;S-1-5-20)", "D:P(A;;FA;;;S-1-5-20)", false},
		{"two unknown lists", "", "", true},
		{"an unknown list is not at most as wide as another", wide, "", false},
		{"nor at least as wide", "", wide, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := AtLeastAsWide(test.a, test.b); got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}
