#!/usr/bin/env bash
# `npm run check:deploy -- --server` on an API server that this script builds (Kubernetes 1.32.4, etcd 3.5.16) and starts on
# loopback for as long as the check takes. Nothing but the API server runs: no node, no controller, no operator.
#
# The namespace comes from k8s/base, the CRDs of KEDA 2.16.1 and External Secrets 0.16.2 from their Go modules.
#
# Needs Go, Node.js, kubectl, 4 GB of disk and, the first time, half an hour of two cores. What is built stays in
# .aerie/api-server.
set -euo pipefail
for tool in go node kubectl; do
  command -v "$tool" >/dev/null || { echo "This check needs $tool, which is not on this machine: nothing was tried." >&2; exit 1; }
done
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
built="$root/.aerie/api-server"
mkdir -p "$built"

say_version=(-X k8s.io/component-base/version.gitVersion=v1.32.4 -X k8s.io/component-base/version.gitMajor=1
  -X k8s.io/component-base/version.gitMinor=32)
build() {
  # Beside the repo's own files: Go adds to them what it works out.
  (cd "$here" && nice go build -p 2 -mod=mod -modfile "$built/go.mod" -ldflags "-s -w ${say_version[*]}" -o "$built/$1" "$2")
}
cp "$here/go.mod" "$here/go.sum" "$built/"
echo 'Building etcd and kube-apiserver …'
build etcd go.etcd.io/etcd/server/v3
build kube-apiserver k8s.io/kubernetes/cmd/kube-apiserver

folder=$(mktemp -d)
pids=()
finish() {
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
  rm -rf "$folder"
}
trap finish EXIT
free_port() { node -e "const s=require('net').createServer().listen(0,'127.0.0.1',()=>{console.log(s.address().port);s.close()})"; }
store=$(free_port) peers=$(free_port) port=$(free_port)

"$built/etcd" --data-dir "$folder/etcd" --listen-client-urls "http://127.0.0.1:$store" \
  --advertise-client-urls "http://127.0.0.1:$store" --listen-peer-urls "http://127.0.0.1:$peers" \
  --initial-advertise-peer-urls "http://127.0.0.1:$peers" --initial-cluster "default=http://127.0.0.1:$peers" \
  >"$folder/etcd.log" 2>&1 &
pids+=($!)

node -e "
  const { generateKeyPairSync, randomBytes } = require('crypto');
  const { writeFileSync } = require('fs');
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  writeFileSync('$folder/accounts.key', privateKey.export({ type: 'pkcs1', format: 'pem' }), { mode: 0o600 });
  writeFileSync('$folder/tokens.csv', randomBytes(24).toString('hex') + ',check,check,system:masters\n', { mode: 0o600 });
"
"$built/kube-apiserver" --etcd-servers "http://127.0.0.1:$store" --bind-address 127.0.0.1 --secure-port "$port" \
  --cert-dir "$folder/certificates" --token-auth-file "$folder/tokens.csv" --authorization-mode RBAC \
  --service-account-issuer https://aerie.test --service-account-key-file "$folder/accounts.key" \
  --service-account-signing-key-file "$folder/accounts.key" --service-cluster-ip-range 10.96.0.0/16 \
  >"$folder/api-server.log" 2>&1 &
pids+=($!)

export KUBECONFIG="$folder/kubeconfig"
for _ in $(seq 150); do [ -s "$folder/certificates/apiserver.crt" ] && break; sleep 0.2; done
kubectl config set-cluster loopback --server "https://127.0.0.1:$port" \
  --certificate-authority "$folder/certificates/apiserver.crt" >/dev/null
kubectl config set-credentials check --token "$(cut -d, -f1 "$folder/tokens.csv")" >/dev/null
kubectl config set-context aerie-check --cluster loopback --user check >/dev/null
kubectl config use-context aerie-check >/dev/null
ready() { kubectl get --raw /readyz >/dev/null 2>&1; }
for _ in $(seq 300); do ready && break; sleep 0.2; done
ready || { echo 'The API server is not ready:' >&2; tail -n 20 "$folder/api-server.log" >&2; exit 1; }

crds() {
  local module
  module=$(cd "$folder" && GOFLAGS=-mod=mod go mod download -json "$1" | node -p "JSON.parse(require('fs').readFileSync(0)).Dir")
  kubectl apply --server-side --filename "$module/$2" >/dev/null
}
crds github.com/kedacore/keda/v2@v2.16.1 config/crd/bases/keda.sh_scaledobjects.yaml
crds github.com/external-secrets/external-secrets@v0.16.2 config/crds/bases/external-secrets.io_externalsecrets.yaml
kubectl wait --for=condition=established --timeout=60s crd --all >/dev/null
kubectl apply --filename "$root/k8s/base/namespace.yaml" >/dev/null
# A controller makes it elsewhere.
kubectl --namespace aerie create serviceaccount default >/dev/null

cd "$root"
npm run --silent check:deploy -- --server
