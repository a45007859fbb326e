import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { RouterProvider } from '@tanstack/react-router'
import './main.css'
import { router } from './router.tsx'
import { sessions } from './session/context.ts'
import { applyTheme, readTheme } from './session/theme.ts'

applyTheme(readTheme())
void sessions.start()

const root = document.querySelector('#root')
if (root)
  createRoot(root).render(
    <StrictMode>
      <RouterProvider router={router} />
    </StrictMode>,
  )
