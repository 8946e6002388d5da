/** The anywidget front end: the viewer on slices that come over the comm. */
export default {};
