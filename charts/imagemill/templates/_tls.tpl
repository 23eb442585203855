{{/* TLS between the programs, RabbitMQ and CouchDB: one certificate for both servers, of which programs know the authority alone. */}}

{{- define "imagemill.rabbitmq.port" -}}{{ if include "imagemill.tls.secret" . }}5671{{ else }}5672{{ end }}{{- end -}}
{{- define "imagemill.couchdb.port" -}}{{ if include "imagemill.tls.secret" . }}6984{{ else }}5984{{ end }}{{- end -}}

{{/* Names by which programs reach the servers, as JSON. */}}
{{- define "imagemill.tls.names" -}}
{{- $names := list -}}
{{- $servers := dict -}}
{{- if include "imagemill.rabbitmq.own" . -}}
{{- $_ := set $servers (include "imagemill.rabbitmq.name" .) (include "imagemill.rabbitmq.headless" .) -}}
{{- end -}}
{{- if include "imagemill.couchdb.own" . -}}
{{- $_ := set $servers (include "imagemill.couchdb.name" .) (include "imagemill.couchdb.headless" .) -}}
{{- end -}}
{{- range $service, $headless := $servers -}}
{{- $names = concat $names (list $service (printf "%s.%s" $service $.Release.Namespace) (printf "%s.%s.svc" $service $.Release.Namespace) (printf "*.%s.%s.svc" $headless $.Release.Namespace)) -}}
{{- end -}}
{{- toJson $names -}}
{{- end -}}

{{/* What a program needs to know whom to believe. */}}
{{- define "imagemill.tls.mount" -}}
{{- if include "imagemill.tls.secret" . -}}
- name: tls-authority
  mountPath: /etc/imagemill-tls
  readOnly: true
{{- end -}}
{{- end -}}
{{- define "imagemill.tls.volume" -}}
{{- if include "imagemill.tls.secret" . -}}
- name: tls-authority
  secret:
    secretName: {{ include "imagemill.tls.secret" . }}
    items:
      - {key: ca.crt, path: ca.crt}
{{- end -}}
{{- end -}}

{{/* The certificate and its key, for the servers alone. */}}
{{- define "imagemill.tls.server.mount" -}}
{{- if include "imagemill.tls.secret" . -}}
- {name: tls, mountPath: /tls, readOnly: true}
{{- end -}}
{{- end -}}
{{- define "imagemill.tls.server.volume" -}}
{{- if include "imagemill.tls.secret" . -}}
- name: tls
  secret:
    secretName: {{ include "imagemill.tls.secret" . }}
    defaultMode: 0440
{{- end -}}
{{- end -}}
