{{/* What every pod has in common: Pod Security "restricted", no token, where it may run.
     (dict root component settings user) */}}
{{- define "imagemill.pod" -}}
serviceAccountName: {{ .serviceAccount | default (include "imagemill.fullname" .root) }}
automountServiceAccountToken: {{ .token | default false }}
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: {{ .user | default 10001 }}
  runAsGroup: {{ .user | default 10001 }}
  fsGroup: {{ .user | default 10001 }}
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . | quote }}
  {{- end }}
{{- end }}
{{- with .settings.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .settings.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .settings.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .settings.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- if .settings.topologySpread.enabled }}
topologySpreadConstraints:
  {{- range .settings.topologySpread.topologyKeys }}
  - maxSkew: 1
    topologyKey: {{ . }}
    whenUnsatisfiable: {{ $.settings.topologySpread.whenUnsatisfiable }}
    labelSelector:
      matchLabels:
        {{- include "imagemill.selector" (list $.root $.component) | nindent 8 }}
  {{- end }}
{{- end }}
{{- end -}}

{{/* Labels and annotations of a pod. (dict root component settings checksums) */}}
{{- define "imagemill.pod.metadata" -}}
labels:
  {{- include "imagemill.labels" (list .root .component) | nindent 2 }}
  {{- with .settings.podLabels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- $annotations := merge (dict) (.checksums | default dict) (.settings.podAnnotations | default dict) }}
{{- with $annotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "imagemill.container.security" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{/* startupProbe, livenessProbe and readinessProbe of a program of ours. (the port's name) */}}
{{- define "imagemill.probes" -}}
startupProbe:
  httpGet: {path: /healthz, port: {{ . }}}
  periodSeconds: 1
  timeoutSeconds: 3
  failureThreshold: 120
livenessProbe:
  httpGet: {path: /healthz, port: {{ . }}}
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
readinessProbe:
  httpGet: {path: /readyz, port: {{ . }}}
  periodSeconds: 5
  timeoutSeconds: 5
  failureThreshold: 2
{{- end -}}

{{/* The broker's address for one program; the user has the program's name. (list root program) */}}
{{- define "imagemill.env.rabbitmq" -}}
{{- $root := index . 0 -}}{{- $program := index . 1 -}}
{{- $external := $root.Values.rabbitmq.external -}}
{{- if $external.enabled -}}
- name: AMQP_URL
  valueFrom:
    secretKeyRef:
      name: {{ required "rabbitmq.external.existingSecret must name the Secret with the broker's addresses" $external.existingSecret }}
      key: {{ index $external.keys $program }}
{{- else -}}
- name: RABBITMQ_PASSWORD
  valueFrom:
    secretKeyRef:
      name: {{ include "imagemill.rabbitmq.secret" $root }}
      key: {{ $program }}
- name: AMQP_URL
  value: amqp{{ if include "imagemill.tls.secret" $root }}s{{ end }}://{{ $program }}:$(RABBITMQ_PASSWORD)@{{ include "imagemill.rabbitmq.name" $root }}:{{ include "imagemill.rabbitmq.port" $root }}/imagemill
{{- end -}}
{{- end -}}

{{/* CouchDB's address for one program; the user is <prefix>-<program>, where programs have users of their own.
     (list root program) */}}
{{- define "imagemill.env.couchdb" -}}
{{- $root := index . 0 -}}{{- $program := index . 1 -}}
{{- if include "imagemill.couchdb.users" $root -}}
- name: COUCHDB_PASSWORD
  valueFrom:
    secretKeyRef:
      name: {{ include "imagemill.couchdb.users" $root }}
      key: {{ $program }}
- name: COUCHDB_URL
  value: {{ include "imagemill.couchdb.address" (list $root (printf "%s-%s:$(COUCHDB_PASSWORD)" $root.Values.couchdb.prefix $program)) }}
{{- else -}}
{{ include "imagemill.env.couchdb.admin" (list $root "COUCHDB") }}
{{- end -}}
{{- end -}}

{{/* CouchDB's address as its administrator, in variables which begin so. (list root beginning) */}}
{{- define "imagemill.env.couchdb.admin" -}}
{{- $root := index . 0 -}}{{- $name := index . 1 -}}
{{- $external := $root.Values.couchdb.external -}}
{{- if $external.enabled -}}
- name: {{ $name }}_URL
  valueFrom:
    secretKeyRef:
      name: {{ required "couchdb.external.existingSecret must name the Secret with CouchDB's address" $external.existingSecret }}
      key: {{ $external.key }}
{{- else -}}
{{- range $variable, $key := dict "USER" "username" "PASSWORD" "password" }}
- name: {{ $name }}_{{ $variable }}
  valueFrom:
    secretKeyRef:
      name: {{ include "imagemill.couchdb.secret" $root }}
      key: {{ $key }}
{{- end }}
- name: {{ $name }}_URL
  value: {{ include "imagemill.couchdb.address" (list $root (printf "$(%s_USER):$(%s_PASSWORD)" $name $name)) }}
{{- end -}}
{{- end -}}

{{/* What the one program is told which makes databases and users. */}}
{{- define "imagemill.env.couchdb.prepare" -}}
{{- if include "imagemill.couchdb.users" . -}}
{{ include "imagemill.env.couchdb.admin" (list . "COUCHDB_ADMIN") }}
{{- $passwords := dict -}}
{{- range $program := include "imagemill.programs" . | fromJsonArray }}
- name: COUCHDB_PASSWORD_{{ upper $program }}
  valueFrom:
    secretKeyRef:
      name: {{ include "imagemill.couchdb.users" $ }}
      key: {{ $program }}
{{- $_ := set $passwords $program (printf "$(COUCHDB_PASSWORD_%s)" (upper $program)) -}}
{{- end }}
- name: IMAGEMILL_COUCHDB_PASSWORDS
  value: {{ toJson $passwords | quote }}
{{- end -}}
{{- end -}}

{{- define "imagemill.blobs.s3" -}}
{{- if or (hasPrefix "s3:" .Values.blobs.url) (hasPrefix "s3:" .Values.blobs.fromUrl) -}}true{{- end -}}
{{- end -}}

{{/* Where bytes are, for those programs which store or read them. (list root program) */}}
{{- define "imagemill.env.blobs" -}}
{{- $root := index . 0 -}}
{{- $blobs := $root.Values.blobs -}}
{{- if has (index . 1) (list "api" "worker" "writer") -}}
- name: IMAGEMILL_BLOBS_URL
  value: {{ $blobs.url | quote }}
{{- with $blobs.fromUrl }}
- name: IMAGEMILL_BLOBS_FROM_URL
  value: {{ . | quote }}
{{- end }}
{{- if include "imagemill.blobs.s3" $root }}
{{- with $blobs.s3.endpoint }}
- name: IMAGEMILL_S3_ENDPOINT_URL
  value: {{ . | quote }}
{{- end }}
{{- with $blobs.s3.publicEndpoint }}
- name: IMAGEMILL_S3_PUBLIC_ENDPOINT_URL
  value: {{ . | quote }}
{{- end }}
- name: IMAGEMILL_S3_REGION
  value: {{ $blobs.s3.region | quote }}
- name: IMAGEMILL_S3_PATH_STYLE
  value: {{ $blobs.s3.pathStyle | quote }}
- name: IMAGEMILL_S3_CONDITIONAL_PUT
  value: {{ $blobs.s3.conditionalPut | quote }}
{{- range $variable, $key := dict "ACCESS_KEY_ID" "access-key-id" "SECRET_ACCESS_KEY" "secret-access-key" }}
- name: IMAGEMILL_S3_{{ $variable }}
  valueFrom:
    secretKeyRef:
      name: {{ required "blobs.s3.existingSecret must name the Secret with the keys of S3" $blobs.s3.existingSecret }}
      key: {{ $key }}
{{- end }}
{{- end }}
{{- end -}}
{{- end -}}

{{/* The environment of a program of ours. (dict root program settings pools prepare) */}}
{{- define "imagemill.env" -}}
- name: IMAGEMILL_INSTANCE
  valueFrom:
    fieldRef:
      fieldPath: metadata.name
{{ include "imagemill.env.rabbitmq" (list .root .program) }}
{{ include "imagemill.env.couchdb" (list .root .program) }}
{{- if .prepare }}
{{ include "imagemill.env.couchdb.prepare" .root }}
{{- end }}
{{- if include "imagemill.tls.secret" .root }}
- name: IMAGEMILL_TLS_CA_FILE
  value: /etc/imagemill-tls/ca.crt
{{- end }}
- name: IMAGEMILL_COUCHDB_PREFIX
  value: {{ .root.Values.couchdb.prefix | quote }}
{{- with include "imagemill.env.blobs" (list .root .program) }}
{{ . }}
{{- end }}
- name: IMAGEMILL_PREPARE
  value: {{ .prepare | default false | quote }}
- name: IMAGEMILL_POOLS
  value: {{ .pools | quote }}
- name: IMAGEMILL_HEALTH_HOST
  value: "0.0.0.0"
- name: IMAGEMILL_HEALTH_PORT
  value: "8081"
- name: IMAGEMILL_LOG_LEVEL
  value: {{ .root.Values.logLevel }}
- name: IMAGEMILL_DRAIN_SECONDS
  value: {{ .settings.drainSeconds | quote }}
{{- range $name, $value := .root.Values.settings }}
- name: IMAGEMILL_{{ upper $name }}
  value: {{ kindIs "string" $value | ternary $value (toJson $value) | quote }}
{{- end }}
{{- with .settings.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* The recipe file in those programs which read it. */}}
{{- define "imagemill.recipes.env" -}}
- name: IMAGEMILL_RECIPES_FILE
  value: /etc/imagemill/recipes.yaml
{{- end -}}
{{- define "imagemill.recipes.mount" -}}
- name: recipes
  mountPath: /etc/imagemill
  readOnly: true
{{- end -}}
{{- define "imagemill.recipes.volume" -}}
- name: recipes
  configMap:
    name: {{ include "imagemill.recipes.name" . }}
{{- end -}}
{{- define "imagemill.recipes.checksum" -}}{{ toYaml .Values.recipes | sha256sum }}{{- end -}}

{{/* A PodDisruptionBudget. (dict root component name settings); none for a single replica: it would only block drains. */}}
{{- define "imagemill.pdb" -}}
{{- if .settings.podDisruptionBudget.enabled -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ .name }}
  labels:
    {{- include "imagemill.labels" (list .root .component) | nindent 4 }}
spec:
  maxUnavailable: {{ .settings.podDisruptionBudget.maxUnavailable }}
  selector:
    matchLabels:
      {{- include "imagemill.selector" (list .root .component) | nindent 6 }}
{{- end -}}
{{- end -}}
