{{/* What one operator may do: in the namespace that it serves, and nowhere else. The dict is that of _shared.tpl. */}}

{{- define "workerpool-operator.shared.metadata.served" -}}
metadata:
  name: {{ .name }}
  {{- if ne .serves .namespace }}
  namespace: {{ .serves }}
  {{- end }}
  labels:
    {{- toYaml .labels | nindent 4 }}
{{- end -}}

{{- define "workerpool-operator.shared.role" -}}
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
{{ include "workerpool-operator.shared.metadata.served" . }}
rules:
  - apiGroups: [imagemill.dev]
    resources: [workerpools]
    verbs: [get, list, watch]
  - apiGroups: [imagemill.dev]
    resources: [workerpools/status]
    verbs: [patch]
  {{- with .steers }}
  # What people pause and bound through it: these pools and no other.
  - apiGroups: [imagemill.dev]
    resources: [workerpools]
    resourceNames:
      {{- toYaml . | nindent 6 }}
    verbs: [patch]
  {{- end }}
  - apiGroups: [apps]
    resources: [deployments]
    verbs: [get, list, watch]
  # Of the workers' Deployments nothing but their replicas.
  - apiGroups: [apps]
    resources: [deployments/scale]
    {{- if not (has "*" .scales) }}
    resourceNames:
      {{- toYaml .scales | nindent 6 }}
    {{- end }}
    verbs: [get, patch]
  # Pods get a mark which says whom to stop first.
  - apiGroups: [""]
    resources: [pods]
    verbs: [get, list, watch, patch]
  # A Deployment which an autoscaler owns is refused.
  - apiGroups: [autoscaling]
    resources: [horizontalpodautoscalers]
    verbs: [get, list, watch]
  {{- with .brokerSecrets }}
  # Where the brokers are which pools name: these Secrets and no other, and no list of them.
  - apiGroups: [""]
    resources: [secrets]
    resourceNames:
      {{- toYaml . | nindent 6 }}
    verbs: [get]
  {{- end }}
  {{- with .kedaScaledObjects }}
  # KEDA is paused where a pool takes a Deployment over, and goes on where it hands it back.
  - apiGroups: [keda.sh]
    resources: [scaledobjects]
    {{- if not (has "*" .) }}
    resourceNames:
      {{- toYaml . | nindent 6 }}
    {{- end }}
    verbs: [get, patch]
  {{- end }}
  - apiGroups: [""]
    resources: [events]
    verbs: [create]
  - apiGroups: [coordination.k8s.io]
    resources: [leases]
    verbs: [create]
  - apiGroups: [coordination.k8s.io]
    resources: [leases]
    resourceNames: [{{ .name }}]
    verbs: [get, update]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
{{ include "workerpool-operator.shared.metadata.served" . }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: {{ .name }}
subjects:
  - kind: ServiceAccount
    name: {{ .name }}
    namespace: {{ .namespace }}
{{- end -}}

{{/* Kubernetes can allow the operator to patch pods only as a whole: this leaves it the one annotation that it sets. */}}
{{- define "workerpool-operator.shared.admission" -}}
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata:
  name: {{ .serves }}.{{ .name }}
  labels:
    {{- toYaml .labels | nindent 4 }}
spec:
  failurePolicy: Fail
  matchConstraints:
    resourceRules:
      - apiGroups: [""]
        apiVersions: [v1]
        operations: [UPDATE]
        resources: [pods]
  matchConditions:
    - name: by-the-operator
      expression: request.userInfo.username == "system:serviceaccount:{{ .namespace }}:{{ .name }}"
  variables:
    - name: before
      expression: 'has(oldObject.metadata.annotations) ? oldObject.metadata.annotations : {}'
    - name: after
      expression: 'has(object.metadata.annotations) ? object.metadata.annotations : {}'
    - name: cost
      expression: '"controller.kubernetes.io/pod-deletion-cost"'
  validations:
    - expression: object.spec == oldObject.spec
      message: The operator may not change what a pod runs.
    - expression: '(has(object.metadata.labels) ? object.metadata.labels : {}) == (has(oldObject.metadata.labels) ? oldObject.metadata.labels : {})'
      message: The operator may not change a pod's labels.
    - expression: '(has(object.metadata.finalizers) ? object.metadata.finalizers : []) == (has(oldObject.metadata.finalizers) ? oldObject.metadata.finalizers : [])'
      message: The operator may not change a pod's finalizers.
    - expression: 'variables.after.all(key, key == variables.cost || (key in variables.before && variables.before[key] == variables.after[key])) && variables.before.all(key, key == variables.cost || key in variables.after)'
      message: Of a pod's annotations the operator may change pod-deletion-cost alone.
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata:
  name: {{ .serves }}.{{ .name }}
  labels:
    {{- toYaml .labels | nindent 4 }}
spec:
  policyName: {{ .serves }}.{{ .name }}
  validationActions: [Deny]
  matchResources:
    namespaceSelector:
      matchLabels:
        kubernetes.io/metadata.name: {{ .serves }}
{{- end -}}

{{/* Is there to be such a policy? Empty means no. (list root when) */}}
{{- define "workerpool-operator.shared.admission.wanted" -}}
{{- $known := (index . 0).Capabilities.APIVersions.Has "admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy" -}}
{{- if or (eq (index . 1) "Always") (and (eq (index . 1) "Auto") $known) -}}yes{{- end -}}
{{- end -}}
