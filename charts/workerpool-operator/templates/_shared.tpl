{{/*
The resources of one operator, for this chart and for those that bring an operator of their own release (charts/imagemill).
Each takes one dict, the operator:
  name, labels, selector           of its resources
  namespace, serves                where it runs, and the namespace whose pools it scales
  scales                           names of the Deployments that it may scale; "*" is all
  brokerSecrets                    names of the Secrets that its pools may name in brokerRef
  kedaScaledObjects                names of KEDA's objects that it may pause; "*" is all
  steers                           names of the pools that people may pause and bound through it
  image, pullPolicy, resources     of its container
  metadata, pod                    of its pod: labels and annotations; and what stands beside its containers and volumes
  env, extraEnv                    variables: how it reaches the broker, and more
  tickSeconds, logLevel            settings
  mounts, volumes                  beside /tmp
*/}}

{{- define "workerpool-operator.shared.metadata" -}}
metadata:
  name: {{ .name }}
  labels:
    {{- toYaml .labels | nindent 4 }}
{{- end -}}

{{- define "workerpool-operator.shared.serviceaccount" -}}
apiVersion: v1
kind: ServiceAccount
{{ include "workerpool-operator.shared.metadata" . }}
automountServiceAccountToken: false
{{- end -}}

{{- define "workerpool-operator.shared.service" -}}
apiVersion: v1
kind: Service
{{ include "workerpool-operator.shared.metadata" . }}
spec:
  selector:
    {{- toYaml .selector | nindent 4 }}
  ports:
    - name: http
      port: 8080
      targetPort: http
{{- end -}}

{{- define "workerpool-operator.shared.deployment" -}}
apiVersion: apps/v1
kind: Deployment
{{ include "workerpool-operator.shared.metadata" . }}
spec:
  replicas: 1
  strategy:
    type: Recreate
  selector:
    matchLabels:
      {{- toYaml .selector | nindent 6 }}
  template:
    metadata:
      {{- toYaml .metadata | nindent 6 }}
    spec:
      {{- toYaml .pod | nindent 6 }}
      terminationGracePeriodSeconds: 20
      containers:
        - {{ include "workerpool-operator.shared.container" . | indent 10 | trim }}
      volumes:
        {{- with .volumes }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
        - name: tmp
          emptyDir:
            sizeLimit: 16Mi
{{- end -}}

{{- define "workerpool-operator.shared.container" -}}
name: operator
image: {{ .image }}
imagePullPolicy: {{ .pullPolicy }}
command: [python, -m, imagemill_operator]
env:
  {{- include "workerpool-operator.shared.env" . | nindent 2 }}
ports:
  - name: http
    containerPort: 8080
startupProbe:
  httpGet: {path: /healthz, port: http}
  periodSeconds: 2
  timeoutSeconds: 3
  failureThreshold: 60
# The age of the last decision: a loop which hangs is not alive.
livenessProbe:
  httpGet: {path: /healthz, port: http}
  periodSeconds: 15
  timeoutSeconds: 5
  failureThreshold: 4
readinessProbe:
  httpGet: {path: /healthz, port: http}
  periodSeconds: 5
  timeoutSeconds: 3
resources:
  {{- toYaml .resources | nindent 2 }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
volumeMounts:
  {{- with .mounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
  - name: tmp
    mountPath: /tmp
{{- end -}}

{{- define "workerpool-operator.shared.env" -}}
- name: POD_NAME
  valueFrom:
    fieldRef:
      fieldPath: metadata.name
- name: IMAGEMILL_NAMESPACE
  {{- if eq .serves .namespace }}
  valueFrom:
    fieldRef:
      fieldPath: metadata.namespace
  {{- else }}
  value: {{ .serves }}
  {{- end }}
- name: IMAGEMILL_LEASE_NAME
  value: {{ .name }}
{{- with .brokerSecrets }}
- name: IMAGEMILL_BROKER_SECRETS
  value: {{ join "," . | quote }}
{{- end }}
{{- with .env }}
{{ toYaml . }}
{{- end }}
- name: IMAGEMILL_TICK_SECONDS
  value: {{ .tickSeconds | quote }}
- name: IMAGEMILL_LOG_LEVEL
  value: {{ .logLevel }}
{{- with .extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end -}}
