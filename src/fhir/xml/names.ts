/** Namespace of FHIR's elements: https://hl7.org/fhir/R4/xml.html */
export const FHIR_NAMESPACE = 'http://hl7.org/fhir';
/** Namespace of narrative. */
export const XHTML_NAMESPACE = 'http://www.w3.org/1999/xhtml';
/** Namespace of the attributes that declare namespaces. */
export const XMLNS_NAMESPACE = 'http://www.w3.org/2000/xmlns/';
/** Namespace of `xsi:schemaLocation`. */
export const XSI_NAMESPACE = 'http://www.w3.org/2001/XMLSchema-instance';
