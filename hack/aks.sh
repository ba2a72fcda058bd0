#!/usr/bin/env bash
# Tests the chart on the cluster of the current kubeconfig: installs it with the images in $REGISTRY tagged $TAG, creates an
# ObservedCertificate for $SECRET (a Key Vault secret's URL), waits until every Windows node has the certificate, and reads the
# host log of a node. $VALUES are further values of the chart in YAML, such as the identity. --remove deletes everything,
# including the CRDs and all their objects: use a cluster that is dedicated to this test.
set -euo pipefail
cd "$(dirname "$0")/.."

namespace=vaultpane-system name=aks-test
# Each step runs even if an earlier one failed: the installation may be incomplete.
remove() {
  local failed=0
  if kubectl get crd observedcertificates.vaultpane.dev --ignore-not-found -o name | grep -q .; then
    kubectl delete observedcertificate "$name" --ignore-not-found --timeout 3m || failed=1
  fi
  helm uninstall vaultpane --namespace "$namespace" --ignore-not-found --wait --timeout 10m || failed=1
  kubectl delete namespace "$namespace" --ignore-not-found --timeout 5m || failed=1
  kubectl delete crd observedcertificates.vaultpane.dev nodecertificatestates.vaultpane.dev --ignore-not-found --timeout 3m || failed=1
  return "$failed"
}
if [ "${1:-}" = --remove ]; then
  remove || { echo "aks: FAIL could not remove everything; see the errors above" >&2; exit 1; }
  echo "aks: removed"
  exit
fi

show() {
  kubectl get nodes -o wide || true
  kubectl get pods --namespace "$namespace" -o wide || true
  kubectl describe observedcertificate "$name" || true
  kubectl logs --namespace "$namespace" --all-containers --prefix --tail 100 --selector app.kubernetes.io/instance=vaultpane || true
}
trap 'echo "aks: FAIL" >&2; show' ERR

echo "aks: installing the chart"
helm upgrade vaultpane charts/vaultpane --install --create-namespace --namespace "$namespace" --wait --timeout 15m \
  --set agent.image.repository="$REGISTRY/vaultpane-agent" --set agent.image.tag="$TAG" \
  --set controller.image.repository="$REGISTRY/vaultpane-controller" --set controller.image.tag="$TAG" \
  --values - <<<"${VALUES:-{\}}"

echo "aks: creating an ObservedCertificate"
kubectl apply -f - <<END
apiVersion: vaultpane.dev/v1alpha1
kind: ObservedCertificate
metadata:
  name: $name
spec:
  url: $SECRET
  deletionPolicy: Delete
END
kubectl wait observedcertificate "$name" --for=condition=Ready --timeout 10m

node=$(kubectl get nodes --selector kubernetes.io/os=windows -o jsonpath='{.items[0].metadata.name}')
folder="/api/v1/nodes/$node/proxy/logs/vaultpane"
echo "aks: reading the host log on $node"
kubectl get --raw "$folder/vaultpane_service_$(date -u +%F).log" | grep -c .
echo "aks: PASS"
