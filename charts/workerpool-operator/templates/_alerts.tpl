{{/* Alerts on what the operator tells, as rules of Prometheus. (dict prefix selector) */}}
{{- define "workerpool-operator.shared.alerts" -}}
- alert: {{ .prefix }}PoolTooSmall
  expr: imagemill_pool_needed_replicas{ {{- .selector -}} } > imagemill_pool_max_replicas{ {{- .selector -}} }
  for: 15m
  labels: {severity: warning}
  annotations:
    summary: Pool {{ "{{ $labels.pool }}" }} needs more workers than it may have.
    description: Raise maxReplicas of the pool, or expect {{ .work | default "messages" }} to wait longer than its objective.
- alert: {{ .prefix }}PoolNotScaled
  expr: max(imagemill_operator_last_tick_seconds_ago{ {{- .selector -}} }) > 60
  for: 2m
  labels: {severity: warning}
  annotations:
    summary: The operator has not decided anything for a minute; pools keep their size.
{{- end -}}
