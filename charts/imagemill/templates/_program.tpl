{{/* The Deployment of a program which takes from queues and has no pool and no recipes.
     (dict root component values secret). `secret` is a file from a Secret: (dict name variable file), name may be empty. */}}
{{- define "imagemill.program" -}}
{{- $root := .root -}}
{{- $settings := include "imagemill.pod.settings" (list $root .values) | fromYaml -}}
{{- $secret := .secret | default dict -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "imagemill.fullname" $root }}-{{ .component }}
  labels:
    {{- include "imagemill.labels" (list $root .component) | nindent 4 }}
spec:
  replicas: {{ .values.replicas }}
  strategy:
    rollingUpdate: {maxSurge: 1, maxUnavailable: 0}
  selector:
    matchLabels:
      {{- include "imagemill.selector" (list $root .component) | nindent 6 }}
  template:
    metadata:
      {{- include "imagemill.pod.metadata" (dict "root" $root "component" .component "settings" $settings) | nindent 6 }}
    spec:
      {{- include "imagemill.pod" (dict "root" $root "component" .component "settings" $settings) | nindent 6 }}
      terminationGracePeriodSeconds: {{ add $settings.drainSeconds 15 }}
      containers:
        - name: {{ .component }}
          image: {{ include "imagemill.image" (list $root $root.Values.image) }}
          imagePullPolicy: {{ $root.Values.image.pullPolicy }}
          command: [python, -m, imagemill.{{ .component }}]
          env:
            {{- include "imagemill.env" (dict "root" $root "program" .component "settings" $settings "pools" (dict "default" (list "*") | toJson)) | nindent 12 }}
            {{- if $secret.name }}
            - name: {{ $secret.variable }}
              value: /etc/imagemill/{{ $secret.file }}
            {{- end }}
            {{- with .env }}
            {{- toYaml . | nindent 12 }}
            {{- end }}
          ports:
            - name: health
              containerPort: 8081
          {{- include "imagemill.probes" "health" | nindent 10 }}
          resources:
            {{- toYaml $settings.resources | nindent 12 }}
          securityContext:
            {{- include "imagemill.container.security" $root | nindent 12 }}
          volumeMounts:
            {{- with include "imagemill.tls.mount" $root }}
            {{- . | nindent 12 }}
            {{- end }}
            - name: tmp
              mountPath: /tmp
            {{- if $secret.name }}
            - name: secret
              mountPath: /etc/imagemill
              readOnly: true
            {{- end }}
      volumes:
        {{- with include "imagemill.tls.volume" $root }}
        {{- . | nindent 8 }}
        {{- end }}
        - name: tmp
          emptyDir:
            sizeLimit: 64Mi
        {{- if $secret.name }}
        - name: secret
          secret:
            secretName: {{ $secret.name }}
            items:
              - {key: {{ $secret.file }}, path: {{ $secret.file }}}
        {{- end }}
{{- end -}}
