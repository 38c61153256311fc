{{/* The labels of every object. */}}
{{- define "penstock.labels" -}}
app.kubernetes.io/name: penstock
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name (.Chart.Version | replace "+" "_") | quote }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* The image as a container names it. */}}
{{- define "penstock.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{ printf "%s@%s" .repository .digest }}
{{- else -}}
{{ printf "%s:%s" .repository (default $.Chart.AppVersion .tag) }}
{{- end -}}
{{- end -}}
{{- end }}

{{/* Every namespace that has a policy, once, as a JSON list; what is given twice in one of them is an error. */}}
{{- define "penstock.namespaces" -}}
{{- $namespaces := list -}}
{{- $seen := dict -}}
{{- range .Values.policies -}}
{{- $namespace := default $.Release.Namespace .namespace -}}
{{- $key := printf "%s/%s" $namespace .name -}}
{{- if hasKey $seen $key -}}
{{- fail (printf "policies: %s is given twice in the namespace %s; put its files together" .name $namespace) -}}
{{- end -}}
{{- if eq .name $.Values.config.name -}}
{{- fail (printf "policies: %s is the name of the configuration's ConfigMap; give the policy another" .name) -}}
{{- end -}}
{{- $_ := set $seen $key true -}}
{{- $namespaces = append $namespaces $namespace -}}
{{- end -}}
{{- $namespaces | uniq | toJson -}}
{{- end }}
